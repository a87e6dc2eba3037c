import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { htmlToSpeech } from "./html-to-speech.ts";

const read = (html: string) => htmlToSpeech(html, { code: "skip" }).text;

describe("htmlToSpeech", () => {
  it.each([
    ["text", "Hello", "Hello."],
    ["paragraphs", "<p>One.<p>Two?</p>Three", "One.\n\nTwo?\n\nThree."],
    ["blanks", "  A \n\t b\r\n <b> c </b> d ", "A b c d."],
    ["inline elements", "<em>So</em> <span>it</span> <u>g</u>oes", "So it goes."],
    ["line breaks", "Rose Street 5<br>London<br/>England", "Rose Street 5\nLondon\nEngland."],
    ["two line breaks", "One<br><br>Two", "One\n\nTwo."],
    [
      "headings",
      "<h1>Title</h1><h2>Part <i>1</i></h2>x",
      '[chapter "Title"]\nTitle.\n\n[chapter "Part 1"]\nPart 1.\n\nx.',
    ],
    ["an empty heading", "<h1> </h1>x", "x."],
    ["a link", '<a href="https://example.com/long">here</a>', "here."],
    ["an image", '<p>See <img src="a.png" alt="a cat"></p>', "See a cat."],
    ["an image without words", '<img src="a.png" alt=""><img src="b.png">x', "x."],
    ["a figure", "<figure><img alt='A cat'><figcaption>Tom, 2020</figcaption></figure>", "A cat.\nTom, 2020."],
    ["a list", "<ul><li>a<li>b</ul>c", "a.\nb.\n\nc."],
    ["a numbered list", "<ol start=3><li>a<li value=7>b<li>c</ol>", "3. a.\n7. b.\n8. c."],
    ["nested lists", "<ul><li>a<ol><li>b</ol><li>c</ul>", "a.\n1. b.\nc."],
    ["terms", "<dl><dt>HTTP<dd>a protocol<dt>TLS:<dd>its lock</dl>", "HTTP:\na protocol.\nTLS:\nits lock."],
    ["a table", "<table><tr><th>a<th>b<tr><td>1<td>2</table>", "a: 1, b: 2."],
    ["a table without names", "<table><tr><td>1<td>2<tr><td>3</table>", "1, 2.\n3."],
    ["a table with names of rows", "<table><tr><th>Mon<td>rain<tr><th>Tue<td>sun</table>", "Mon, rain.\nTue, sun."],
    ["a table of names only", "<table><tr><th>a<th>b</table>", "a, b."],
    ["a caption", "<table><caption>Prices</caption><thead><tr><th>Tea<tbody><tr><td>2 €</table>", "Prices.\nTea: 2 €."],
    [
      "a table that arranges a page",
      "<table><tr><td><h1>News</h1><p>One.</p><td>Menu</table>",
      '[chapter "News"]\nNews.\n\nOne.\nMenu.',
    ],
    ["tables in tables", "<table role=presentation><tr><td><table><tr><th>a<tr><td>1</table></table>", "a: 1."],
    ["a rule", "One<hr>Two", "One.\n\n[pause 1500ms]\n\nTwo."],
    ["rules in a row", "<hr>One<hr><hr><hr>", "[pause 1500ms]\n\nOne.\n\n[pause 1500ms]"],
    ["a quotation", "He said <q>no</q>.", 'He said "no".'],
    ["sub and sup", "H<sub>2</sub>O and m<sup>2</sup>", "H2O and m2."],
    ["ruby", "<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>字", "漢字。"],
    ["code", "Run <code>ls <b>-l</b></code> now.<pre><code>x\ny</code></pre>", "Run ls -l now."],
    ["a poem", "<pre>Roses are red,\n  violets are blue.</pre>", "Roses are red,\nviolets are blue."],
    ["entities", "Caf&eacute; &amp; &#128512; &nbsp;x &unknown; &lt;b&gt;", "Café & 😀 \u00A0x &unknown; <b>."],
    [
      "programs and styles",
      "a<script>if (a < b) alert('</p>')</script><style>p{}</style><template>t</template>b",
      "ab.",
    ],
    ["what is hidden", '<p hidden>a</p><p aria-hidden="true">b</p><p style="color:red; DISPLAY : none">c</p>d', "d."],
    ["what is hidden within itself", "<div hidden><div>a</div>b</div>c", "c."],
    ["what is not hidden", '<p aria-hidden="false" style="display:block">a</p>', "a."],
    ["fields of forms", "<form>Name <input value=x><select><option>a</select><button>Send</button></form>", "Name."],
    ["other media", "<video>Fallback</video><svg><title>t</title></svg><iframe>x</iframe>a", "a."],
    ["a whole document", "<!DOCTYPE html><html><head><title>T</title></head><body>B</body></html>", "B."],
    ["comments and instructions", "a<!-- b --><?php c ?>d", "ad."],
    ["a bare less-than sign", "1 < 2 and 3 <4", "1 < 2 and 3 <4."],
    ["tags that are never closed", "<div><b>a<p>b", "a.\n\nb."],
    ["end tags without a beginning", "a</b></div></table>b", "ab."],
    ["cells without a table", "<td>a</td><td>b</td>", "ab."],
    ["speakers", "<p>[SPEAKER0] Hi</p><p>[SPEAKER1] Hello</p>", "[SPEAKER0] Hi.\n\n[SPEAKER1] Hello."],
    ["nothing", "", ""],
  ])("reads %s", (_what, html, spoken) => {
    expect(read(html)).toBe(spoken);
  });

  it("reads a news article", () => {
    const article = `<article>
  <header><h1>Bridge reopens after &ldquo;long&rdquo; winter</h1>
    <p class="byline">By <a href="/j">Jane Doe</a> &middot; <time datetime="2024-03-01">1 March 2024</time></p></header>
  <figure><img src="b.jpg" alt="The old bridge"><figcaption>The bridge on Friday.</figcaption></figure>
  <p>The bridge <em>finally</em> reopened on Friday, <strong>five months</strong> late.</p>
  <script>track("view");</script>
  <div aria-hidden="true">Advertisement</div>
  <blockquote><p>We are relieved</p></blockquote>
  <h2>What it cost</h2>
  <table><thead><tr><th>Year</th><th>Cost</th></tr></thead>
    <tbody><tr><td>2022</td><td>&pound;1.2m</td></tr><tr><td>2023</td><td>&pound;3.4m</td></tr></tbody></table>
  <ul><li>No lorries</li><li>No coaches</li></ul>
  <noscript>Enable JavaScript</noscript>
</article>`;
    expect(read(article)).toBe(`[chapter "Bridge reopens after 'long' winter"]
Bridge reopens after “long” winter.

By Jane Doe · 1 March 2024.

The old bridge.
The bridge on Friday.

The bridge finally reopened on Friday, five months late.

We are relieved.

[chapter "What it cost"]
What it cost.

Year: 2022, Cost: £1.2m.
Year: 2023, Cost: £3.4m.

No lorries.
No coaches.`);
  });

  it("says how much code was left out, and spells it if that is wanted", () => {
    const html = "<pre><code>a</code></pre><p>x</p><pre><code>b</code></pre>";
    expect(htmlToSpeech(html, { code: "skip" }).warnings).toEqual([
      'Left out 2 blocks of code; code "spell" speaks it character by character',
    ]);
    expect(htmlToSpeech(html, { code: "spell" })).toEqual({ text: "A.\n\nx.\n\nB.", warnings: [] });
  });

  it("refuses elements that are nested too deeply", () => {
    expect(read("<div>".repeat(500))).toBe("");
    expect(() => read("<div>".repeat(513))).toThrowError(/nested too deeply \(got more than 512, limit 512\)/);
  });

  const parts = fc.constantFrom(
    ..."<p> </p> <b> </b> <ul> <ol> <li> </li> </ul> <table> <tr> <td> <th> </td> </table> <h1> </h1> <pre> </pre>".split(
      " ",
    ),
    ..."<code> </code> <br> <hr> <q> </q> <script> </script> </div> word one [laugh] &lt; < > ' \" <!-- -->".split(" "),
    " ",
    "\n",
    "<div hidden>",
    "<img alt='word'>",
  );

  it("loses no visible word, whatever the tags", () => {
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 60 }), (pieces) => {
        const html = pieces.filter((piece) => !/script|hidden|code|<!--|img|<$|^[<>'"]$/.test(piece)).join("");
        const words = (text: string) => text.replaceAll(/\[chapter "[^"]*"\]/g, "").match(/word|one/g)?.length ?? 0;
        expect(words(read(html))).toBe(words(html));
      }),
    );
  });

  it("never fails, and never makes much of little", () => {
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 200 }), (pieces) => {
        const html = pieces.join("");
        expect(read(html).length).toBeLessThanOrEqual(6 * html.length + 20);
      }),
    );
  });
});
