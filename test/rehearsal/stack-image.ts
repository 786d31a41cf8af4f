import { makeGuestImage } from "./guest-image";

/** A program for `image.builder`: reads STACK and STACK_DIRECTORY, prints the path of the VHD that it made. */
const { STACK: stack, STACK_DIRECTORY: stackDirectory } = process.env;
if (!stack || !stackDirectory) throw new Error("STACK and STACK_DIRECTORY are not set: name this in image.builder");
console.log(makeGuestImage(stack, stackDirectory));
