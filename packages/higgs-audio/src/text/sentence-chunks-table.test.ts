import { describe, expect, it } from "vitest";
import { chunkBySentences } from "./sentence-chunks.ts";

/** Texts with `‖` before each chunk but the first; chunks of at most six seconds, so that short texts show where cuts fall. */
const TEXTS: readonly (readonly [language: string, text: string])[] = [
  [
    "English",
    "Dr. Smith met Mrs. Jones at 3.5 p.m. on Jan. 5th. ‖They spoke for an hour, more or less, about the U.S. economy. ‖Nobody else came.",
  ],
  [
    "English",
    "See www.example.com/a?b=c!d for more. Write to j.smith@example.co.uk, ‖or call +44 20 7946 0958 before noon. ‖We answer within 1,000 seconds.",
  ],
  ["English", '"What?" she asked. "No," he said. "I won\'t go." ‖Then he left, and the door fell shut behind him.'],
  [
    "English",
    'Chapter One\n\nIt was a dark and stormy night, and nobody in the village slept.\n\n‖"Yes," he said.\n\nThe rain fell until the morning came, and then the sun rose.',
  ],
  [
    "English",
    "We the people of the united states in order to form a more perfect union establish justice ‖insure domestic tranquility provide for the common defence promote the general welfare",
  ],
  ["English", "Milk\nBread\nButter\nEggs\nFlour\nSugar\nCheese\n‖Apples\nPears\nPlums\nRice\nBeans\nSalt\nPepper"],
  ["English", "1. Open the box. 2. Take the parts out. ‖3. Read the manual, which is in the box too. 4. Call us."],
  [
    "English",
    "[SPEAKER0] Hello there, how are you today?\n[SPEAKER1] Fine.\n‖[SPEAKER0] That is good to hear, because I have a long story to tell. It began in May.\n[SPEAKER1] Go on.",
  ],
  [
    "English",
    "He laughed. <SE>[Laughter]</SE> Then he sang <SE_s>[Singing]</SE_s> ‖la la la <SE_e>[Singing]</SE_e> until they all joined in.",
  ],
  ["English", "Wait... what did you say? I heard nothing... Nothing at all, to be honest."],
  [
    "English",
    "The price rose from $1,250.50 to ‖$2 000 000 (about 3/4 more), ‖i.e. much too fast — said J. R. R. Tolkien's friend, who knew.",
  ],
  [
    "German",
    "Am 3. Oktober 1990 kam Dr. Müller, ‖z. B. mit der Bahn, nach Köln. Es war kalt. ‖Der Zug hatte 2,5 Stunden Verspätung, ‖d. h. er kam um 17:45 Uhr an.",
  ],
  ["German", "»Kommst du?«, fragte sie. »Nein«, sagte er, »ich bleibe hier.« ‖Im 19. Jahrhundert war das anders."],
  [
    "German",
    "Die Donaudampfschifffahrtsgesellschaft sucht Mitarbeiterinnen und Mitarbeiter; ‖bewerben Sie sich bitte bis zum 31. Dezember. Wir freuen uns.",
  ],
  [
    "French",
    "M. Dupont et Mme Durand sont arrivés à 10 h 30. ‖« Bonjour ! » dit-il. « Quelle belle journée, n'est-ce pas ? » Elle sourit.",
  ],
  ["French", "Le prix est de 1 234 567,89 € ; ‖c'est trop, p. ex. pour un étudiant. On verra bien."],
  [
    "Spanish",
    "El Sr. García vive en la Av. Libertador, n.º 25. ‖¿Cuándo vienes? ¡Mañana! ‖Nos vemos a las 8:30, en EE. UU. o aquí.",
  ],
  [
    "Spanish",
    "En un lugar de la Mancha, de cuyo nombre no quiero acordarme, ‖no ha mucho tiempo que vivía un hidalgo de los de lanza en astillero, ‖adarga antigua, rocín flaco y galgo corredor.",
  ],
  [
    "Italian",
    "Il dott. Rossi e la sig.ra Bianchi sono partiti alle 7.15. ‖Torneranno domani, se tutto va bene. ‖Che cosa ne pensi? Io sono contento.",
  ],
  [
    "Portuguese",
    "O Sr. Silva comprou 2,5 kg de maçãs por R$ 12,90. ‖Não foi caro. A Sra. Costa, porém, achou que sim, e voltou para casa.",
  ],
  [
    "Dutch",
    "Dhr. Jansen woont in Den Haag, bijv. vlak bij het strand. ‖Hij werkt elke dag van 9:00 tot 17:00. Morgen komt hij niet.",
  ],
  [
    "Polish",
    "Prof. Kowalski przyjechał o godz. 10.30, tzn. za późno. ‖Wszyscy czekali. ‖Potem poszli razem na obiad, np. do restauracji przy ul. Długiej.",
  ],
  [
    "Russian",
    "В 2020 г. в городе жило 1,5 млн человек, ‖т. е. больше, чем раньше. Все были рады. ‖А. С. Пушкин родился в Москве.",
  ],
  ["Russian", "— Куда ты идёшь? — спросил он. — Домой, — ответила она. ‖Больше они не говорили, и вечер прошёл тихо."],
  [
    "Greek",
    "Τι κάνεις; Είμαι καλά, ευχαριστώ. ‖Ο κ. Παπαδόπουλος ήρθε χθες το βράδυ, και έφυγε σήμερα. Δεν ξέρω γιατί.",
  ],
  [
    "Turkish",
    "Dr. Yılmaz saat 15.30'da geldi. ‖Herkes bekliyordu, çünkü toplantı başlamıştı. ‖Sonra hep birlikte yemeğe gittiler.",
  ],
  [
    "Arabic",
    "كيف حالك؟ أنا بخير، والحمد لله. ‖وصل الدكتور أحمد إلى القاهرة في الساعة العاشرة صباحا، ‖ثم ذهب إلى الجامعة. لم يكن أحد هناك.",
  ],
  [
    "Hebrew",
    'מה שלומך? אני בסדר, תודה. ‖ד"ר כהן הגיע לירושלים בשעה עשר בבוקר, ואחר כך הלך לאוניברסיטה. ‖לא היה שם אף אחד.',
  ],
  ["Hindi", "नमस्ते। आप कैसे हैं? मैं ठीक हूँ, धन्यवाद। ‖डॉ. शर्मा कल सुबह दस बजे दिल्ली पहुँचे, और फिर वे विश्वविद्यालय गए।"],
  ["Bengali", "আপনি কেমন আছেন? আমি ভালো আছি। ‖সূর্য পূর্ব দিকে ওঠে, আর পশ্চিম দিকে অস্ত যায়। ‖মানুষ তা হাজার বছর ধরে দেখে আসছে।"],
  ["Thai", "สวัสดีครับ วันนี้อากาศดีมาก เราไปเดินเล่นที่สวนสาธารณะกันเถอะ แล้วค่อยกลับบ้าน พรุ่งนี้ฝนอาจจะตก"],
  ["Thai", "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิต่างมี‖เหตุผลและมโนธรรมและควรปฏิบัติต่อกันด้วยเจตนารมณ์แห่งภราดรภาพ"],
  ["Chinese", "今天天气真好。我们一起去公园散步吧！‖你觉得怎么样？‖大约3.5公里，走路要1个小时，不算远。"],
  ["Chinese", "今天天气真好.我们一起去公园散步吧!‖你觉得怎么样?‖大约3.5公里, 走路要1个小时, 不算远."],
  ["Chinese", "大语言模型是一种人工智能模型它们被设计用来理解和‖生成人类语言并且可以完成翻译写作和编程等各种任务"],
  [
    "Japanese",
    "これは長い文章です。今日はとても天気がいいので、‖公園に行きましょう。「本当に？」と彼女は言った。はい。",
  ],
  [
    "Japanese",
    "親譲りの無鉄砲で小供の時から損ばかりしている小学校に居る時‖分学校の二階から飛び降りて一週間ほど腰を抜かした事がある",
  ],
  ["Korean", "안녕하세요. 오늘은 날씨가 아주 좋네요! ‖우리 같이 공원에 갈까요? 저는 3.5km쯤 걸었고, 조금 피곤해요."],
  [
    "Vietnamese",
    "Xin chào. Hôm nay trời rất đẹp, chúng ta đi dạo trong công viên nhé? ‖Ông Nguyễn Văn A. đã đến lúc 10:30. Không ai biết.",
  ],
  ["Burmese", "နေကောင်းလား။ ကျွန်တော် နေကောင်းပါတယ်။ ဒီနေ့ ရာသီဥတု သာယာတယ်၊ ပန်းခြံကို သွားကြရအောင်။"],
  ["Amharic", "እንደምን አደሩ። እኔ ደህና ነኝ፣ አመሰግናለሁ። ‖ዛሬ አየሩ በጣም ጥሩ ነው። ወደ ፓርክ እንሂድ።"],
  [
    "English",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa‖aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa and on.",
  ],
];

describe("chunks of whole sentences, as a reader would have them", () => {
  it.each(TEXTS)("%s: %s", (_language, text) => {
    const chunks = chunkBySentences(text.replaceAll("‖", ""), 6);
    expect(chunks.map((chunk) => chunk.text).join(" ‖ ")).toBe(
      text
        .split("‖")
        .map((chunk) => chunk.trim())
        .join(" ‖ "),
    );
  });

  it("is a table of forty texts and more in fifteen languages and more", () => {
    expect(TEXTS.length).toBeGreaterThanOrEqual(40);
    expect(new Set(TEXTS.map(([language]) => language)).size).toBeGreaterThanOrEqual(15);
  });
});
