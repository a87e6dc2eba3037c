/** Codes of a clip, `codes[codebook][frame]`, values 0 … 1023, without BOS, EOS or delay. */
export type Codes = readonly Int32Array[];

export type Role = "system" | "user" | "assistant";

/** Text that is tokenized on its own, not stripped (spec model §5.1). */
interface TextPart {
  readonly kind: "text";
  readonly text: string;
}

/** A clip; the turn's role decides which placeholder stands for it. */
interface ClipPart {
  readonly kind: "clip";
  readonly codes: Codes;
}

export type MessagePart = TextPart | ClipPart;

/** One turn of the conversation that a prompt is made of. */
export interface Message {
  readonly role: Role;
  readonly parts: readonly MessagePart[];
}

export function textMessage(role: Role, text: string): Message {
  return { role, parts: [{ kind: "text", text }] };
}

/** The assistant turn that a clip is: a reference's, or that of a chunk spoken before. */
export function spokenMessage(codes: Codes): Message {
  return { role: "assistant", parts: [{ kind: "clip", codes }] };
}
