import { describe, expect, it } from "vitest";
import { detectLanguage } from "./detect-language.ts";
import { canonicalLanguage } from "./language-tag.ts";

describe("detectLanguage()", () => {
  it.each([
    ["en", "The price is a third lower than it was last year."],
    ["de", "Der Preis ist um ein Drittel niedriger als im letzten Jahr."],
    ["fr", "Le prix est inférieur d'un tiers à celui de l'année dernière."],
    ["es", "El precio es un tercio más bajo que el año pasado."],
    ["it", "Il prezzo è di un terzo più basso dell'anno scorso."],
    ["pt", "O preço é um terço mais baixo do que no ano passado."],
    ["zh", "价格比去年低了三分之一。"],
    ["zh-Hant", "價格比去年低了三分之一。"],
    ["ja", "価格は昨年より三分の一低い。"],
    ["ko", "가격은 작년보다 삼분의 일 낮다."],
    ["pl", "Cena jest o jedną trzecią niższa niż w zeszłym roku."],
    ["ru", "Цена на треть ниже, чем в прошлом году."],
  ])("tells %s", async (language, text) => {
    expect(await detectLanguage(text)).toEqual({ language, isReliable: true });
  });

  it("looks at the words and not at the marks and tags", async () => {
    const text = "[SPEAKER1] [pause 2s] <SE>[Laughter]</SE> 오늘은 3월이에요.";
    expect(await detectLanguage(text)).toEqual({ language: "ko", isReliable: true });
  });

  it("is not sure about a short text, which it takes for a language that can be spelled out", async () => {
    expect(await detectLanguage("Buongiorno")).toEqual({ language: "it", isReliable: false });
    expect((await detectLanguage("Kapitel"))?.language).toBe("de");
  });

  it.each(["У меня 21 книга", "Έχω 21 βιβλία", "لدي 21 كتابا", "मेरे पास 21 किताबें"])(
    "is sure that %j, in other letters, is none that can be spelled out",
    async (text) => {
      const found = await detectLanguage(text);
      expect(found?.isReliable).toBe(true);
      expect(["en", "de", "fr", "es", "it", "pt", "zh", "ja", "ko"]).not.toContain(found?.language);
    },
  );

  it("tells Chinese with a few Latin names from English with a few Chinese ones", async () => {
    expect((await detectLanguage("他在Google工作了很多年,也去过Microsoft。"))?.language).toBe("zh");
    expect(
      (await detectLanguage("The town of 北京 is the capital of the country, as everybody knows."))?.language,
    ).toBe("en");
  });

  it.each(["", "12:30", "…"])("does not know what %j is", async (text) => {
    expect(await detectLanguage(text)).toBeNull();
  });
});

describe("canonicalLanguage()", () => {
  it.each([
    ["EN-gb", "en-GB"],
    ["zh-hant-tw", "zh-Hant-TW"],
    ["iw", "he"],
  ])("writes %s as %s", (tag, canonical) => {
    expect(canonicalLanguage(tag)).toBe(canonical);
  });

  it.each(["", "english!", "e", "de_DE"])("refuses %j", (tag) => {
    expect(canonicalLanguage(tag)).toBeNull();
  });
});
