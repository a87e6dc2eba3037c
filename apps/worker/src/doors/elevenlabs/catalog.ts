/** Names of ElevenLabs' models, which its clients offer or send unasked. All of them are the model that is loaded. */
const MODEL_IDS = ["eleven_multilingual_v2", "eleven_turbo_v2_5", "eleven_flash_v2_5", "eleven_v3"] as const;
const LANGUAGES = [
  { language_id: "en", name: "English" },
  { language_id: "zh", name: "Chinese" },
] as const;

/** The answer of `GET /v1/models`. */
export function modelList(modelName: string, maxCharacters: number): readonly object[] {
  return [modelName, ...MODEL_IDS].map((id) => ({
    model_id: id,
    name: id === modelName ? "Higgs Audio V2" : `Higgs Audio V2 (as ${id})`,
    description: "Higgs Audio V2, the only model of this server; every name stands for it",
    can_be_finetuned: false,
    can_do_text_to_speech: true,
    can_do_voice_conversion: false,
    can_use_style: false,
    can_use_speaker_boost: false,
    serves_pro_voices: false,
    token_cost_factor: 1,
    requires_alpha_access: false,
    max_characters_request_free_user: maxCharacters,
    max_characters_request_subscribed_user: maxCharacters,
    maximum_text_length_per_request: maxCharacters,
    languages: LANGUAGES,
    model_rates: { character_cost_multiplier: 1 },
    concurrency_group: "standard",
  }));
}

/** A voice as ElevenLabs describes it. */
export function voiceEntry(name: string, isOfLibrary: boolean): object {
  return {
    voice_id: name,
    name,
    category: isOfLibrary ? "cloned" : "premade",
    labels: {},
    description: null,
    preview_url: null,
    samples: null,
    available_for_tiers: [],
    settings: null,
    sharing: null,
    high_quality_base_model_ids: [],
    is_owner: isOfLibrary,
    is_legacy: false,
    is_mixed: false,
  };
}

export interface VoicePage {
  readonly search: string | undefined;
  readonly pageSize: number;
  /** What the page before gave. */
  readonly token: string | undefined;
}

const DEFAULT_PAGE_SIZE = 10;
const MAX_PAGE_SIZE = 100;

export function readVoicePage(query: (name: string) => string | undefined): VoicePage {
  const size = Number(query("page_size") ?? DEFAULT_PAGE_SIZE);
  const pageSize = Number.isInteger(size) && size > 0 ? Math.min(size, MAX_PAGE_SIZE) : DEFAULT_PAGE_SIZE;
  return { search: query("search"), pageSize, token: query("next_page_token") };
}

/** The answer of `GET /v2/voices`: names in order, from the one that the token gives. */
export function voicePage(
  names: readonly string[],
  { search = "", pageSize, token }: VoicePage,
): {
  readonly names: readonly string[];
  readonly rest: { readonly has_more: boolean; readonly total_count: number; readonly next_page_token: string | null };
} {
  const found = names.filter((name) => name.toLowerCase().includes(search.toLowerCase()));
  const start = Math.max(0, token === undefined ? 0 : found.indexOf(token));
  const next = found[start + pageSize] ?? null;
  return {
    names: found.slice(start, start + pageSize),
    rest: { has_more: next !== null, total_count: found.length, next_page_token: next },
  };
}
