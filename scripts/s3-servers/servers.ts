import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface ServerKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

/** A real S3 server that can be installed from a package registry. */
export interface ServerKind {
  readonly name: string;
  readonly version: string;
  /** Programs that the installation needs. */
  readonly needs: readonly string[];
  /** False for a server that accepts any key, so that keys cannot be tested. */
  readonly checksKeys: boolean;
  /** Commands that install it into a folder, with the variables of their environment. */
  readonly install: (folder: string) => readonly Command[];
  /** The command that serves on a port of this machine, with its files in a folder. */
  readonly start: (place: ServerPlace) => Command;
}

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface ServerPlace {
  readonly installed: string;
  readonly data: string;
  readonly port: number;
  readonly key: ServerKey;
}

export const SERVERS: readonly ServerKind[] = [
  {
    name: "versitygw",
    version: "1.8.0",
    needs: ["go"],
    checksKeys: true,
    install: (folder) => [
      {
        program: "go",
        args: ["install", "github.com/versity/versitygw/cmd/versitygw@v1.8.0"],
        env: { GOBIN: folder, GOFLAGS: "-modcacherw" },
      },
    ],
    start: ({ installed, data, port, key }) => ({
      program: join(installed, "versitygw"),
      args: ["--port", `127.0.0.1:${port}`, "--region", key.region, "posix", data],
      env: { ROOT_ACCESS_KEY: key.accessKeyId, ROOT_SECRET_KEY: key.secretAccessKey },
    }),
  },
  {
    name: "S3Proxy",
    version: "4.1.0",
    needs: ["mvn", "java"],
    checksKeys: true,
    install: (folder) => {
      writeFileSync(join(folder, "pom.xml"), S3PROXY_POM);
      const goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
      const args = ["-q", "-B", "-f", join(folder, "pom.xml"), goal, `-DoutputDirectory=${join(folder, "lib")}`];
      return [{ program: "mvn", args }];
    },
    start: ({ installed, data, port, key }) => {
      const properties = join(installed, "s3proxy.properties");
      const lines = [
        `s3proxy.endpoint=http://127.0.0.1:${port}`,
        "s3proxy.authorization=aws-v2-or-v4",
        `s3proxy.identity=${key.accessKeyId}`,
        `s3proxy.credential=${key.secretAccessKey}`,
        "jclouds.provider=filesystem-nio2",
        `jclouds.filesystem.basedir=${data}`,
        "jclouds.identity=any",
        "jclouds.credential=any",
      ];
      writeFileSync(properties, lines.join("\n"));
      const classPath = join(installed, "lib", "*");
      return {
        program: "java",
        args: ["-Xmx512m", "-cp", classPath, "org.gaul.s3proxy.Main", "--properties", properties],
      };
    },
  },
  {
    name: "moto",
    version: "5.2.5",
    needs: ["python3"],
    checksKeys: false,
    install: (folder) => [
      { program: "python3", args: ["-m", "venv", folder] },
      { program: join(folder, "bin", "pip"), args: ["install", "-q", "moto[server]==5.2.5"] },
    ],
    start: ({ installed, port }) => ({
      program: join(installed, "bin", "moto_server"),
      args: ["-H", "127.0.0.1", "-p", String(port)],
    }),
  },
];

/** The version of jackson-annotations that is resolved by default lacks a class that the server loads. */
const S3PROXY_POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>s3proxy</artifactId><version>1</version>
  <dependencyManagement><dependencies><dependency>
    <groupId>com.fasterxml.jackson.core</groupId><artifactId>jackson-annotations</artifactId><version>2.21</version>
  </dependency></dependencies></dependencyManagement>
  <dependencies><dependency>
    <groupId>org.gaul</groupId><artifactId>s3proxy</artifactId><version>4.1.0</version>
  </dependency></dependencies>
</project>
`;

const INSTALL_TIMEOUT_MS = 600_000;

/** Why a server cannot be installed here, or null when it is installed. Reuses a folder from an earlier run. */
export async function install(kind: ServerKind, folder: string): Promise<string | null> {
  const missing = kind.needs.filter((program) => spawnSync("which", [program]).status !== 0);
  if (missing.length > 0) return `${missing.join(" and ")} is not installed`;
  const mark = join(folder, `.installed-${kind.version}`);
  if (existsSync(mark)) return null;
  mkdirSync(folder, { recursive: true });
  for (const command of kind.install(folder)) {
    const problem = await runToEnd(command, join(folder, "install.log"));
    if (problem !== null) return `${command.program} ${problem}, see ${join(folder, "install.log")}`;
  }
  writeFileSync(mark, "");
  return null;
}

function runToEnd(command: Command, log: string): Promise<string | null> {
  return new Promise((resolve) => {
    const output = openSync(log, "a");
    const env = { ...process.env, ...command.env };
    spawn(command.program, command.args, { env, stdio: ["ignore", output, output], timeout: INSTALL_TIMEOUT_MS })
      .on("error", ({ message }) => resolve(message))
      .on("exit", (code) => resolve(code === 0 ? null : `ended with ${code ?? "no end in time"}`));
  });
}

export interface RunningServer {
  readonly url: string;
  readonly stop: () => void;
}

/** Starts a server and waits until it answers; throws after a minute. */
export async function start(kind: ServerKind, place: Omit<ServerPlace, "port">): Promise<RunningServer> {
  mkdirSync(place.data, { recursive: true });
  const port = await freePort();
  const { program, args, env } = kind.start({ ...place, port });
  const output = openSync(join(place.installed, "server.log"), "w");
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", output, output] });
  const ended = new Promise<never>((_, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`${kind.name} ended with ${code}`)));
  });
  // Checked below, and irrelevant once the server runs.
  ended.catch(() => undefined);
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 240; tries++) {
    const isThere = await Promise.race([
      fetch(url).then(
        () => true,
        () => false,
      ),
      ended,
    ]);
    if (isThere) return { url, stop: () => void child.kill("SIGKILL") };
    await sleep(250);
  }
  child.kill("SIGKILL");
  throw new Error(`${kind.name} does not answer`);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
