/** Whether a path's segment leads elsewhere than it reads. */
export function isTraversal(segment: string): boolean {
  return segment === "" || segment === "." || segment === "..";
}
