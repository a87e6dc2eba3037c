export { isLoopbackAddress, isLoopbackHost, isPublicAddress } from "./public-address.ts";
