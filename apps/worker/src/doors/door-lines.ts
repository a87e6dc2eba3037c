/** What to type for each door of a server, one line each, for people who have just started it. */
export function doorLines(url: string, { hasKey }: { readonly hasKey: boolean }): string {
  const json = "-H 'Content-Type: application/json'";
  const key = hasKey ? ' -H "Authorization: Bearer $HIGGS_API_KEY"' : "";
  const elevenLabsKey = hasKey ? ' -H "xi-api-key: $HIGGS_API_KEY"' : "";
  const lines = [
    ["Page", `${url}/`],
    ["API", `${url}/openapi.json`],
    ["RunPod", `curl ${url}/runsync${key} ${json} -d '{"input": {"transcript": "The sun is warm."}}'`],
    [
      "OpenAI",
      `curl ${url}/v1/audio/speech${key} ${json} -d '{"model": "tts-1", "voice": "alloy", "input": "The sun is warm."}' --output sun.mp3`,
    ],
    [
      "ElevenLabs",
      `curl '${url}/v1/text-to-speech/slt?output_format=mp3_44100_128'${elevenLabsKey} ${json} -d '{"text": "The sun is warm."}' --output sun.mp3`,
    ],
    ["WebSocket", `${url.replace(/^http/, "ws")}/v1/audio/speech/stream`],
  ] as const;
  return `${lines.map(([name, line]) => `${name.padEnd(11)}${line}`).join("\n")}\n`;
}
