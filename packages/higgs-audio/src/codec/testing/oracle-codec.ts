import type { CodecSource } from "../codec-weights.ts";
import {
  type OracleConv,
  Signal,
  makeSignal,
  oracleAdd,
  oracleConv1d,
  oracleLinear,
  oracleSnake,
  oracleTransposedConv1d,
  value,
} from "./oracle.ts";

/** All tensors of a codec, read, for the oracle. */
export class OracleCodec {
  readonly #source: CodecSource;
  readonly #values = new Map<string, Float32Array>();

  private constructor(source: CodecSource) {
    this.#source = source;
  }

  static async read(source: CodecSource, names: Iterable<string>): Promise<OracleCodec> {
    const codec = new OracleCodec(source);
    for (const name of names) codec.#values.set(name, await source.readF32(name));
    return codec;
  }

  values(name: string): Float32Array {
    const values = this.#values.get(name);
    if (values === undefined) throw new Error(`no tensor ${name}`);
    return values;
  }

  conv(name: string, hasBias = true): OracleConv {
    const [a = 1, b = 1, c = 1] = this.#source.tensor(`${name}.weight`).shape;
    const bias = hasBias ? this.values(`${name}.bias`) : null;
    return { weight: this.values(`${name}.weight`), shape: [a, b, c], bias };
  }

  linear(name: string, x: Signal): Signal {
    return oracleLinear(x, this.values(`${name}.weight`), this.values(`${name}.bias`));
  }

  snake(name: string, x: Signal): Signal {
    return oracleSnake(x, this.values(`${name}.alpha`));
  }

  /** Codes `[codebook][frame]` → Σ project_out(embed[code]) (spec model §9.6). */
  quantized(codes: readonly Int32Array[]): Signal {
    const { quantizerDim, codebookDim } = this.#source.config;
    const frames = codes[0]?.length ?? 0;
    let sum = new Signal(quantizerDim, frames);
    for (const [k, row] of codes.entries()) {
      const embed = this.values(`quantizer.quantizers.${k}.codebook.embed`);
      const vectors = makeSignal(codebookDim, frames, (d, t) => value(embed, value(row, t) * codebookDim + d));
      sum = oracleAdd(sum, this.linear(`quantizer.quantizers.${k}.project_out`, vectors));
    }
    return sum;
  }

  /** Codes → samples (spec model §9.6, §9.4). */
  decode(codes: readonly Int32Array[]): Float64Array {
    const latents = this.linear("fc2", this.quantized(codes));
    let x = oracleConv1d(latents, this.conv("acoustic_decoder.conv1"), { padding: 3 });
    for (const [index, stride] of this.#source.config.decoderRatios.entries()) {
      const block = `acoustic_decoder.block.${index}`;
      x = oracleTransposedConv1d(this.snake(`${block}.snake1`, x), this.conv(`${block}.conv_t1`), stride);
      x = this.residualUnits(block, x);
    }
    x = this.snake("acoustic_decoder.snake1", x);
    return oracleConv1d(x, this.conv("acoustic_decoder.conv2"), { padding: 3 }).values;
  }

  residualUnits(block: string, input: Signal): Signal {
    let x = input;
    for (const [index, dilation] of [1, 3, 9].entries()) {
      const unit = `${block}.res_unit${index + 1}`;
      const inner = this.snake(`${unit}.snake1`, x);
      const convolved = oracleConv1d(inner, this.conv(`${unit}.conv1`), { padding: 3 * dilation, dilation });
      const activated = this.snake(`${unit}.snake2`, convolved);
      x = oracleAdd(x, oracleConv1d(activated, this.conv(`${unit}.conv2`), { padding: 0 }));
    }
    return x;
  }
}
