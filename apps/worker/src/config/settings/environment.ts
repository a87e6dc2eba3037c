import { directory, proxyUrl, secret, text, url, type SettingTable } from "../setting.ts";

/** What other programs read as well: proxies, the Hub, folders. */
export const ENVIRONMENT_SETTINGS = {
  httpProxy: proxyUrl({
    env: ["http_proxy", "HTTP_PROXY"],
    group: "other tools",
    description: "Proxy for `http://` URLs of the store, references and downloads",
  }),
  httpsProxy: proxyUrl({
    env: ["https_proxy", "HTTPS_PROXY"],
    group: "other tools",
    description: "Proxy for `https://` URLs of the store, references and downloads",
    defaultText: "the one for `http://`",
  }),
  noProxy: text({
    env: ["no_proxy", "NO_PROXY"],
    group: "other tools",
    description:
      "Hosts that are reached without a proxy: names (including subdomains), IP addresses, blocks such as 10.0.0.0/8, or `*`",
  }),
  hubCacheDir: directory({
    env: ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"],
    group: "other tools",
    description: "Hugging Face's checkpoint cache, which is searched for the model",
    defaultText: "`hub` in HF_HOME",
  }),
  hubHomeDir: directory({
    env: ["HF_HOME"],
    group: "other tools",
    description: "Hugging Face's folder",
    defaultText: "`~/.cache/huggingface`",
  }),
  hubToken: secret({
    env: ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"],
    group: "other tools",
    description: "Hugging Face's token, for `higgs models pull` from gated or private repositories",
  }),
  hubEndpoint: url({
    env: ["HF_ENDPOINT"],
    group: "other tools",
    description: "Address of Hugging Face's Hub or of a mirror, for `higgs models pull`",
    defaultText: "https://huggingface.co",
  }),
  xdgCacheDir: directory({
    env: ["XDG_CACHE_HOME"],
    group: "other tools",
    description: "The user's cache folder",
    defaultText: "`~/.cache`",
  }),
  homeDir: directory({
    env: ["HOME", "USERPROFILE"],
    group: "other tools",
    description: "The user's home folder",
    defaultText: "none",
  }),
} as const satisfies SettingTable;
