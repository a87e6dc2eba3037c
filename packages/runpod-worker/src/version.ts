/** Version of this package; a test keeps it equal to package.json. */
export const PACKAGE_VERSION = "0.1.0";

/** Version of the official Python SDK whose wire protocol this package speaks. */
export const PROTOCOL_VERSION = "1.12.0";

/**
 * Value sent as `runpod_version`: the protocol version as the semver core, this package as build metadata.
 * Source: spec platform §3.7.
 */
export const REPORTED_VERSION = `${PROTOCOL_VERSION}+ts.${PACKAGE_VERSION}`;
