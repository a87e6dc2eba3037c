/** A file of the upstream repository; it must match size and SHA-256 regardless of its source. */
export interface UpstreamFile {
  readonly bytes: number;
  readonly sha256: string;
}

export interface UpstreamVoice {
  readonly name: string;
  readonly language: string;
  readonly audio: UpstreamFile;
  readonly transcript: UpstreamFile;
}

/** The commit of boson-ai/higgs-audio that the table below describes. */
const UPSTREAM_COMMIT = "f04f5df76a6a7b14674e0d6d715b436c422883c6";

export const UPSTREAM_BASE_URL = `https://raw.githubusercontent.com/boson-ai/higgs-audio/${UPSTREAM_COMMIT}/examples/voice_prompts`;

export const UPSTREAM_SOURCE = `boson-ai/higgs-audio, examples/voice_prompts at ${UPSTREAM_COMMIT.slice(0, 7)}`;

/** The sixteen clips of the reference implementation; only their names, sizes and hashes are here. */
export const UPSTREAM_VOICES: readonly UpstreamVoice[] = [
  upstream(
    "belinda",
    "en",
    [896776, "e663310bfe539efac3350fd6b277214dcddd65d5a46949180f11c719c8b9b769"],
    [121, "f7fa48f33b22b6ce75cb4d81e8411d555a43404307b303e6d45ee7f93c663ae0"],
  ),
  upstream(
    "bigbang_amy",
    "en",
    [1177260, "a3c638d14a6f626cafb443c51aa0275b96a510829a477fce1f8d0cb02d9717ec"],
    [244, "2b7b2a9e43f538c7621cee68ba4d0bff0029eb8ee22b8951e415a32c23b41e75"],
  ),
  upstream(
    "bigbang_sheldon",
    "en",
    [1276844, "0e713f5f72e2f6e0295244626a095bbf347598d610dbd485ad2211de71ff0bd7"],
    [238, "cf8cd9156704724f85cf9475d80b53b38de4796b1c00e4bb43889fdfa6ad0dd8"],
  ),
  upstream(
    "broom_salesman",
    "en",
    [3383338, "c9cb4f37dcac12227045845c07c8aef823519cbf7b62bcbc6223158f9d282e1a"],
    [265, "5e795c2a0be479fe2e53bce4db009600c23b1e8214f2c00291ff86512b694cb6"],
  ),
  upstream(
    "chadwick",
    "en",
    [458796, "166acd9a8d8bf3e205bf8217dfd47f8232437c0ea128c326bd1a9060c099e003"],
    [119, "4a5bca11bb88992322f678aff39cdeb6e1afec28cfe517200406c23698545396"],
  ),
  upstream(
    "en_man",
    "en",
    [375566, "1ca3df71ad1b6968765e69870220d34c6b2c2550a499cf59560d9d764d10b94e"],
    [120, "20c5e6b6fa38b9b24a58f203c17989c14ac22bd8093c4bf56d1a58d435a7ecc3"],
  ),
  upstream(
    "en_woman",
    "en",
    [313272, "e1d49dc69f3b0731ed7b10ddf51dfc8f73465d4323f45841d93583d8b1e4d3e6"],
    [127, "acffc42ea6c91ce8c58a608d8f9182c3916ecb6b9835c1f4301daf6cf34de2da"],
  ),
  upstream(
    "fiftyshades_anna",
    "en",
    [599804, "3354d6c28724e6e8ad6692e05481aa850d121073c5f3d2e5ae7668bd0ed3243d"],
    [75, "631fef0f6aab16accbaabb50b28dff61dda83381c4ad7cc5c2ff164931601db1"],
  ),
  upstream(
    "mabaoguo",
    "zh",
    [2443184, "36dad5fe5a7017b1020997170ecc7345371f499c6a780ec419a5b76d794c1f3c"],
    [372, "180e6eb9e3eaec5f056366e7eb2aa33375d23daada4c4d2b2d8d29c85ae1287d"],
  ),
  upstream(
    "mabel",
    "en",
    [1054730, "9e6c5e522c662c5d6b862d8b17e1618546666ce993dcd560f3bdd34a48bacd9f"],
    [194, "6d63c55bff30f6752cb4ea512bfd3a52d50ad6f63d9bf6dc6cb8298e71aca391"],
  ),
  upstream(
    "shrek_donkey",
    "en",
    [1552364, "3856fce1962a3ce35c4bdeb9f92ea280d5e01163529fccd097f3bbeb3c6ad1f4"],
    [360, "00a7e36a21dd479c8dc269e53ae870468589c6dd143662de7d596b6900416872"],
  ),
  upstream(
    "shrek_donkey_es",
    "es",
    [970244, "438daf675e9a8d2a618e40679c4d7260147f576c87682eca763191d90351fed8"],
    [158, "dca4f8f4e188c0f096efc904a2c2510f084155417a7576c7b4f7855f1fc972ed"],
  ),
  upstream(
    "shrek_fiona",
    "en",
    [1252484, "26176d3244f6cd2aad44977a00251fa03163f6f6269a7eedeba4132f1320e8bb"],
    [209, "5208256f7d23bf4c1cffc73060b2ea5e74cd6d9380a25e521529f5e11f7fd2d2"],
  ),
  upstream(
    "shrek_shrek",
    "en",
    [1412126, "f59b81a33f72dd1eeb61ffdc8fa20183281fb4ea5fe4302142de1dd021c1e370"],
    [181, "2601c43289a9177c43ae0511a2e8c2d7bf4802d1b21730d53022634d9f6bc196"],
  ),
  upstream(
    "vex",
    "en",
    [523086, "d95c6dcf7265847edd76989ffb2d3f5a92aa3e2bbd3718317010b49842c98954"],
    [62, "affe5ab264710d0dcb8476b4394fe5cab20cd5bab0c577ef4ee1ff5f7edadfe0"],
  ),
  upstream(
    "zh_man_sichuan",
    "zh",
    [618528, "53892ece071342958403bc5643f84169a30b89cc0fc79eb69508bfa11dd85e68"],
    [111, "de0841a4087d763daa2669e9f6036bc374b5871e02a31bc3509887a5c74dc7f5"],
  ),
];

type FileFacts = readonly [bytes: number, sha256: string];

function upstream(name: string, language: string, audio: FileFacts, transcript: FileFacts): UpstreamVoice {
  return {
    name,
    language,
    audio: { bytes: audio[0], sha256: audio[1] },
    transcript: { bytes: transcript[0], sha256: transcript[1] },
  };
}
