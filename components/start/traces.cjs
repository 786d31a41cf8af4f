// Pulumi takes a stack trace for each resource and for each of its promises, a thousand in a small stack, and has
// source-map-support map every frame of each: a quarter of a second of a preview. Here a frame is mapped once, and only
// if it is of the bundle; Pulumi's own frames need no mapping. Positions in errors and in the state stay those in TypeScript.

/** Wraps a formatter of stack traces (https://v8.dev/docs/stack-trace-api) for the frames of `bundle`. */
exports.mapOnce = function mapOnce(format, bundle) {
  const known = new Map();
  const mapped = (frame) => {
    const text = frame.toString();
    if (frame.getFileName() !== bundle) return text;
    let line = known.get(text);
    if (line === undefined) {
      line = format({ message: "" }, [frame]).replace(/^[^\n]*\n {4}at /, "");
      known.set(text, line);
    }
    return line;
  };
  return (error, frames) => `${error}${frames.map((frame) => `\n    at ${mapped(frame)}`).join("")}`;
};
