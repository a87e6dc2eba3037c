import { describe, expect, it } from "vitest";
import { CheckBoard, type CheckOutcome, type SelfCheck } from "./check-board.ts";

interface Board {
  readonly board: CheckBoard;
  /** Lets seconds pass. */
  readonly pass: (seconds: number) => void;
}

function boardOf(run: SelfCheck["run"], timeoutMs?: number): Board {
  let nowMs = 0;
  const board = new CheckBoard([{ name: "it", run }], { now: () => nowMs, timeoutMs });
  return { board, pass: (seconds) => (nowMs += seconds * 1000) };
}

describe("a check", () => {
  it("is unknown before it is made", () => {
    const { board } = boardOf(() => ({ ok: true }));
    expect(board.reports["it"]).toEqual({
      ok: null,
      used: true,
      checked_seconds_ago: null,
      ok_seconds_ago: null,
      failures_in_a_row: 0,
    });
    expect(board.samples()).toEqual([]);
  });

  it("has ages: since it was made, and since it was last ok", async () => {
    const outcomes: CheckOutcome[] = [
      { ok: true, facts: { free_bytes: 7 } },
      { ok: false, reason: "gone" },
      { ok: false },
    ];
    const { board, pass } = boardOf(() => outcomes.shift() ?? { ok: true });
    await board.refresh();
    pass(5);
    expect(board.reports["it"]).toMatchObject({ ok: true, free_bytes: 7, checked_seconds_ago: 5, ok_seconds_ago: 5 });
    await board.refresh();
    pass(1);
    expect(board.reports["it"]).toMatchObject({ ok: false, reason: "gone", checked_seconds_ago: 1, ok_seconds_ago: 6 });
    await board.refresh();
    expect(board.reports["it"]).toMatchObject({ ok: false, checked_seconds_ago: 0, failures_in_a_row: 2 });
    expect(board.samples()).toEqual([
      { name: "check_ok", value: 0, labels: { check: "it" } },
      { name: "check_age_s", value: 0, labels: { check: "it" } },
    ]);
    await board.refresh();
    expect(board.reports["it"]).toMatchObject({ ok: true, ok_seconds_ago: 0, failures_in_a_row: 0 });
  });

  it("of what is not used is neither good nor bad", async () => {
    const { board } = boardOf(() => null);
    await board.refresh();
    expect(board.reports["it"]).toMatchObject({ ok: null, used: false });
    expect(board.samples()).toEqual([]);
  });

  it("that throws has failed", async () => {
    const { board } = boardOf(() => Promise.reject(new Error("the volume is gone")));
    await board.refresh();
    expect(board.reports["it"]).toMatchObject({ ok: false, reason: "the volume is gone" });
  });

  it("that hangs has failed, is made once until it ends, and its late answer counts", async () => {
    const answers: ((outcome: CheckOutcome) => void)[] = [];
    const { board } = boardOf(() => new Promise((resolve) => void answers.push(resolve)), 20);
    await board.refresh();
    await board.refresh();
    expect(answers).toHaveLength(1);
    expect(board.reports["it"]).toMatchObject({ ok: false, reason: "no answer within 0.02 s", failures_in_a_row: 2 });
    answers[0]?.({ ok: true });
    await expect.poll(() => board.reports["it"]?.ok).toBe(true);
    const last = board.refresh();
    expect(answers).toHaveLength(2);
    answers[1]?.({ ok: true });
    await last;
    board[Symbol.dispose]();
  });
});
