export { ByteGatherer } from "./byte-gatherer.ts";
export { isLoopbackAddress, isLoopbackHost, isPublicAddress } from "./public-address.ts";
