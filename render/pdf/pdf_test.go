package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// chromes is a print of Chrome's with three pages of 400 by 200, 300 and 400
// pixels, printed at half their size, each in Latin and another script, with
// three links.
func chromes(tb testing.TB) []byte {
	tb.Helper()
	data, err := os.ReadFile("testdata/chrome.pdf")
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// file is a PDF of these objects, the first of which is its root.
func file(objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d /Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, start)
	return b.Bytes()
}

// page is a PDF of one page with this content, of which more is the rest of the
// page's dictionary, and further objects from the fifth on.
func page(content, more string, objects ...string) []byte {
	return file(append([]string{
		"<</Type /Catalog /Pages 2 0 R>>", "<</Type /Pages /Kids [3 0 R] /Count 1>>",
		"<</Type /Page /Parent 2 0 R /MediaBox [0 0 100 50] /Contents 4 0 R " + more + ">>",
		fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(content), content),
	}, objects...)...)
}

func mustOpen(tb testing.TB, data []byte) *File {
	tb.Helper()
	f, err := Open(data)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

func mustSplit(tb testing.TB, data []byte) [][]byte {
	tb.Helper()
	parts, err := Split(data)
	if err != nil {
		tb.Fatal(err)
	}
	return parts
}

func all(parts ...[]byte) iter.Seq2[Part, error] {
	return func(yield func(Part, error) bool) {
		for _, p := range parts {
			if !yield(Part{Data: p}, nil) {
				return
			}
		}
	}
}

func mustMerge(tb testing.TB, info Info, parts ...[]byte) []byte {
	tb.Helper()
	var out bytes.Buffer
	if err := Merge(&out, info, all(parts...)); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// contents is the operators of a page, with those of what it draws.
func contents(tb testing.TB, p *Page) string {
	tb.Helper()
	b := newBuilder(p.file, nil)
	if err := b.look(p); err != nil {
		tb.Fatal(err)
	}
	var parts []string
	for _, c := range b.contents {
		parts = append(parts, string(c.data))
	}
	return strings.Join(parts, "\n")
}

func TestAFileHasItsPages(t *testing.T) {
	var got [][2]float64
	for _, p := range mustOpen(t, chromes(t)).Pages() {
		width, height := p.Size()
		got = append(got, [2]float64{width, height})
	}
	want := [][2]float64{{151.919998, 77.040001}, {151.919998, 114}, {151.919998, 151.919998}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAPageIsTheSameWhateverWasPrintedWithIt(t *testing.T) {
	parts := mustSplit(t, chromes(t))
	if len(parts) != 3 {
		t.Fatalf("got %d files", len(parts))
	}
	merged := mustMerge(t, Info{}, parts[2], parts[0], parts[1], parts[0])
	again := mustSplit(t, merged)
	for i, k := range []int{2, 0, 1, 0} {
		if !bytes.Equal(again[i], parts[k]) {
			t.Errorf("page %d of the merged file makes another file than page %d of the print", i, k)
		}
	}
}

func TestAFileHasNothingOfOtherPages(t *testing.T) {
	whole := chromes(t)
	parts := mustSplit(t, whole)
	total := 0
	for i, part := range parts {
		total += len(part)
		f := mustOpen(t, part)
		for k := range parts {
			if has := strings.Contains(string(part), fmt.Sprintf("https://example.com/%d", k)); has != (k == i) {
				t.Errorf("file %d has the link of page %d: %t", i, k, has)
			}
		}
		for r := range ref(len(f.offsets)) {
			o, err := f.load(r)
			if err != nil {
				t.Fatal(err)
			}
			d, _ := o.(dict)
			if d["Subtype"] == name("CIDFontType2") {
				checkFont(t, f, d)
			}
		}
	}
	if total > len(whole)*5/4 {
		t.Errorf("the files have %d bytes together, the print had %d", total, len(whole))
	}
}

// checkFont wants outlines of as many glyphs as have widths, besides that for what
// is missing and the parts of others.
func checkFont(t *testing.T, f *File, d dict) {
	t.Helper()
	descriptor, err := f.dictOf(d["FontDescriptor"])
	if err != nil {
		t.Fatal(err)
	}
	font, err := f.trueType(descriptor["FontFile2"])
	if err != nil {
		t.Fatal(err)
	}
	outlines, parted := 0, map[uint16]bool{}
	for id := range len(font.offsets) - 1 {
		glyph := font.glyph(uint16(id))
		if len(glyph) > 0 {
			outlines++
		}
		ids, err := parts(glyph)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			parted[id] = true
		}
	}
	widths, err := (&builder{f: f}).allWidths(d)
	if err != nil {
		t.Fatal(err)
	}
	if outlines > len(widths)+len(parted)+1 || outlines == 0 {
		t.Errorf("%s has %d outlines for %d glyphs", d["BaseFont"].print(nil), outlines, len(widths))
	}
}

func TestEqualPartsAreWrittenOnce(t *testing.T) {
	part := mustSplit(t, chromes(t))[0]
	many := make([][]byte, 50)
	for i := range many {
		many[i] = part
	}
	merged := mustMerge(t, Info{}, many...)
	if pages := len(mustOpen(t, merged).Pages()); pages != 50 {
		t.Errorf("%d pages", pages)
	}
	if per := (len(merged) - len(part)) / 49; per > 800 {
		t.Errorf("each further page has %d bytes, the file of one has %d", per, len(part))
	}
}

func TestAMergedFileHasEachFontOnce(t *testing.T) {
	parts, fonts := mustSplit(t, chromes(t)), 0
	for _, part := range parts {
		fonts += bytes.Count(part, []byte("/FontFile2"))
	}
	merged := bytes.Count(mustMerge(t, Info{}, parts...), []byte("/FontFile2"))
	if merged != 3 || fonts <= merged {
		t.Errorf("%d fonts in the parts, %d in the merged file, want 3: regular, bold and italic", fonts, merged)
	}
}

func TestFontsThatDifferStayApart(t *testing.T) {
	newFace := func(glyph byte, width number, meaning string) *face {
		return &face{base: &trueType{tables: map[string][]byte{"head": make([]byte, 54), "maxp": make([]byte, 6), "hhea": make([]byte, 36)}}, name: "A",
			outlines: map[uint16]outline{7: {glyph: []byte{glyph}}}, widths: map[int]number{7: width}, meanings: map[int]text{7: text(meaning)}}
	}
	var l faces
	next := ref(0)
	reserve := func() ref { next++; return next }
	var got []ref
	for _, f := range []*face{newFace(1, "5", "x"), newFace(2, "5", "x"), newFace(1, "6", "x"), newFace(1, "5", "y"), newFace(1, "5", "x"), newFace(2, "5", "x")} {
		got = append(got, l.add(f, reserve))
	}
	if diff := cmp.Diff([]ref{1, 2, 3, 4, 1, 2}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheSamePagesAreTheSameBytes(t *testing.T) {
	parts := mustSplit(t, chromes(t))
	info := Info{Title: "Rows", Language: "en"}
	one, two := mustMerge(t, info, parts...), mustMerge(t, info, parts...)
	if !bytes.Equal(one, two) {
		t.Error("two mergers of the same files differ")
	}
	for _, word := range []string{"CreationDate", "ModDate", "D:20"} {
		if bytes.Contains(one, []byte(word)) {
			t.Errorf("the file has a %s", word)
		}
	}
}

func TestAFileSaysWhatItIs(t *testing.T) {
	part := mustSplit(t, chromes(t))[0]
	for _, tt := range []struct {
		info Info
		want []string
		not  string
	}{
		{Info{}, []string{"/Producer (Skia/PDF m156)", "/Creator (pictifyd)"}, "/Title"},
		{Info{Title: `A (b) \c`, Language: "de-AT"}, []string{`/Title (A \(b\) \\c)`, "/DisplayDocTitle true", "/Lang (de-AT)"}, "<FEFF"},
		{Info{Title: "Ä🦊"}, []string{"/Title <FEFF00C4D83EDD8A>"}, "/Lang"},
	} {
		got := mustMerge(t, tt.info, part)
		for _, want := range tt.want {
			if !bytes.Contains(got, []byte(want)) {
				t.Errorf("%+v: no %s", tt.info, want)
			}
		}
		if bytes.Contains(got, []byte(tt.not)) {
			t.Errorf("%+v: has %s", tt.info, tt.not)
		}
	}
}

func TestAPageLiesOnItsPaper(t *testing.T) {
	f := mustOpen(t, chromes(t))
	var out bytes.Buffer
	w := NewWriter(&out)
	w.Link = func(address string) bool { return strings.HasPrefix(address, "https:") }
	leaf := Leaf{Page: f.Pages()[0], Width: 150, Height: 75, Paper: [2]float64{600, 400}, Scale: 2, Left: 50, Top: 20}
	if err := w.Leaf(leaf); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(Info{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"/MediaBox [0 0 600 400]",
		"/BBox [0 2.04 150 77.04]", "/Matrix [2 0 0 2 50 225.92]", // the page's upper edge, 77.04 points high, is 20 below the paper's
		"/Rect [50 296 95.75 312.5]", "/URI (https://example.com/0)",
	} {
		if !bytes.Contains(out.Bytes(), []byte(want)) {
			t.Errorf("no %s in\n%s", want, bytes.ToValidUTF8(out.Bytes(), []byte(".")))
		}
	}
	if bytes.Contains(out.Bytes(), []byte("localhost")) {
		t.Error("a link leads to where the page was printed")
	}
}

func TestLinksLeadToPublicAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"https://example.com/x?y": true, "HTTP://example.com": true, "mailto:a@example.com": true, "tel:+491": true,
		"javascript:alert(1)": false, "file:///etc/passwd": false, "data:text/html,x": false, "x": false, "": false, "%": false,
	} {
		if Public(address) != want {
			t.Errorf("%q: got %t", address, !want)
		}
	}
}

func TestAClipThatRepeatsTheOneBeforeIsLeftOut(t *testing.T) {
	f := mustOpen(t, page("q\n0 0 5 5 re\nW n\n0 0 5 5 re\nW n\n1 1 2 2 re\nW n\nf\n1 1 2 2 re\nW n\nQ", ""))
	want := "q\n0 0 5 5 re\nW n\n1 1 2 2 re\nW n\nf\n1 1 2 2 re\nW n\nQ"
	if got := contents(t, f.Pages()[0]); got != want {
		t.Errorf("got %q", got)
	}
}

func TestResourcesAreNamedInTheOrderOfTheirUse(t *testing.T) {
	f := mustOpen(t, page("/G9 gs /G2 gs /G9 gs /Pattern cs /P7 scn /Cs1 CS 1 0 0 scn (/G2) pop", "/Resources <</ExtGState <</G2 <<>> /G9 <<>> /G1 <<>>>> /Pattern <</P7 <<>>>> /ColorSpace <</Cs1 [/A]>>>>"))
	want := "/G0 gs /G1 gs /G0 gs /Pattern cs /P0 scn /C0 CS 1 0 0 scn (/G2) pop"
	if got := contents(t, f.Pages()[0]); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDamagedFilesAreRefused(t *testing.T) {
	good := chromes(t)
	deep := strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1)
	form := func(more string) string { return "<</Subtype /Form " + more + " /Length 5>>\nstream\n/X Do\nendstream" }
	encrypted := bytes.Replace(good, []byte("/Root"), []byte("/Encrypt 1 0 R /Root"), 1)
	updated := bytes.Replace(good, []byte("/Root"), []byte("/Prev 7 /Root"), 1)
	for want, data := range map[string][]byte{
		"does not begin as one":                 []byte("hello"),
		"ends too early":                        good[:len(good)/2],
		"does not say where its table":          []byte("%PDF-1.4\nstartxref\n9999\n%%EOF"),
		"no plain table":                        []byte("%PDF-1.4\nnothing\nstartxref\n3\n%%EOF"),
		"table of objects is damaged":           bytes.Replace(good, []byte("xref\n0 "), []byte("xref\n0 9"), 1),
		"it is encrypted":                       encrypted,
		"was changed after":                     updated,
		"what should be a page is none":         file("<</Type /Catalog /Pages 2 0 R>>", "<</Type /Pages /Kids [1 0 R]>>"),
		"pages contain themselves":              file("<</Type /Catalog /Pages 2 0 R>>", "<</Type /Pages /Kids [2 0 R]>>"),
		"it has no pages":                       file("<</Type /Catalog /Pages 2 0 R>>", "<</Type /Pages /Kids []>>"),
		"without four corners":                  file("<</Pages 2 0 R>>", "<</Type /Page /MediaBox [0 0 1]>>"),
		"without an inside":                     file("<</Pages 2 0 R>>", "<</Type /Page /MediaBox [0 0 0 1]>>"),
		"corner that is no number":              file("<</Pages 2 0 R>>", "<</Type /Page /MediaBox [0 0 1 /x]>>"),
		"a page is turned":                      file("<</Pages 2 0 R>>", "<</Type /Page /Rotate 90 /MediaBox [0 0 1 1]>>"),
		"is not one stream":                     file("<</Pages 2 0 R>>", "<</Type /Page /MediaBox [0 0 1 1]>>"),
		"arrays and dictionaries stand in":      file("<</Pages 2 0 R>>", "<</Type /Page /MediaBox "+deep+">>"),
		"a key that is no name":                 file("<</Pages 2 0 R /1 2 3 4>>"),
		"object 1 of generation 1":              file("<</Pages 1 1 R>>"),
		"refers to itself":                      file("<</Pages 2 0 R>>", "<</Type /Page /MediaBox 3 0 R>>", "3 0 R"),
		"a stream without its length":           file("<</Pages 2 0 R>>", "<</Type /Page>>\nstream\nendstream"),
		"does not end where it should":          file("<</Pages 2 0 R>>", "<</Length 3>>\nstream\nabcdef\nendstream"),
		"it does not end as one":                file("<</Pages 2 0 R>> x"),
		"which it has not":                      page("/G1 gs", ""),
		"a text without a font":                 page("(x) Tj", ""),
		"an image inside":                       page("BI /W 1 ID x EI", ""),
		"content with properties":               page("/Span /P BDC", ""),
		"is no operator":                        page("]", ""),
		"in a text of hex digits":               page("<xy>", ""),
		"is not spelled right":                  page("/#g", ""),
		"of an unknown encoding":                file("<</Pages 2 0 R>>", "<</Type /Page /MediaBox [0 0 1 1] /Contents 3 0 R>>", "<</Filter /LZWDecode /Length 1>>\nstream\nx\nendstream"),
		"unpack a stream":                       file("<</Pages 2 0 R>>", "<</Type /Page /MediaBox [0 0 1 1] /Contents 3 0 R>>", "<</Filter /FlateDecode /Length 1>>\nstream\nx\nendstream"),
		"a font of the kind /Type1":             page("/F 1 Tf", "/Resources <</Font <</F 5 0 R>>>>", "<</Type /Font /Subtype /Type1>>"),
		"a font with an encoding of its own":    page("/F 1 Tf", "/Resources <</Font <</F 5 0 R>>>>", "<</Type /Font /Subtype /Type0>>"),
		"a font that can't be read":             page("/F 1 Tf (ab) Tj", "/Resources <</Font <</F 5 0 R>>>>", "<</Type /Font /Subtype /Type0 /Encoding /Identity-H /DescendantFonts [6 0 R]>>", "<</CIDToGIDMap /Identity /FontDescriptor <</FontFile2 7 0 R>>>>", "<</Length 1>>\nstream\nx\nendstream"),
		"an object contains its page":           page("/G gs", "/Resources <</ExtGState <</G 5 0 R>>>>", "<</P 3 0 R>>"),
		"an object contains itself":             page("/G gs", "/Resources <</ExtGState <</G 5 0 R>>>>", "<</P 5 0 R>>"),
		"a drawing that no page shows":          page("/G gs", "/Resources <</ExtGState <</G 5 0 R>>>>", "<</P 6 0 R>>", form("")),
		"can't be read: an object contains its": page("/X Do", "/Resources <</XObject <</X 5 0 R>>>>", form("/Resources <</XObject <</X 5 0 R>>>> /P 3 0 R")),
	} {
		_, err := Split(data)
		if err == nil || !strings.Contains(err.Error(), want) || problem.CodeOf(err) != problem.Invalid {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestRangesOfAFontHaveALimit(t *testing.T) {
	if _, err := readCMap([]byte("1 beginbfrange " + strings.Repeat("<0000> <FFFF> <0000> ", 9) + "endbfrange")); !errors.Is(err, errCMap) {
		t.Errorf("meanings: got %v", err)
	}
	list := array{}
	for range 9 {
		list = append(list, number("0"), number("65535"), number("5"))
	}
	if _, err := (&builder{f: &File{}}).allWidths(dict{"W": list}); err == nil || !strings.Contains(err.Error(), "widths") {
		t.Errorf("widths: got %v", err)
	}
}

func TestACompressedStreamHasALimit(t *testing.T) {
	bomb := packed(make([]byte, maxDecoded+1), dict{})
	data := string((&stream{dict: dict{"Filter": name("FlateDecode")}, data: bomb.data}).print(nil))
	_, err := Split(file("<</Pages 2 0 R>>", "<</Type /Page /MediaBox [0 0 1 1] /Contents 3 0 R>>", data))
	if err == nil || !strings.Contains(err.Error(), "more than 64 MiB") {
		t.Errorf("got %v", err)
	}
}

func TestCutFilesNeverPanic(t *testing.T) {
	good := mustSplit(t, chromes(t))[0]
	for n := 0; n < len(good)-len("%%EOF\n"); n += 61 {
		if _, err := Split(good[:n]); err == nil {
			t.Errorf("the first %d of %d bytes are a file", n, len(good))
		}
		bent := bytes.Clone(good)
		bent[n] ^= 0x15
		_, _ = Split(bent)
	}
}

type brokenWriter struct{ room int }

func (w *brokenWriter) Write(b []byte) (int, error) {
	if w.room -= len(b); w.room < 0 {
		return 0, io.ErrShortWrite
	}
	return len(b), nil
}

func TestAMergerEndsWithItsFirstError(t *testing.T) {
	part := mustSplit(t, chromes(t))[0]
	if err := Merge(io.Discard, Info{}, all()); err == nil || !strings.Contains(err.Error(), "without pages") {
		t.Errorf("nothing: got %v", err)
	}
	if err := Merge(io.Discard, Info{}, all(part, []byte("x"))); problem.CodeOf(err) != problem.Invalid {
		t.Errorf("a damaged part: got %v", err)
	}
	gone := errors.New("gone")
	if err := Merge(io.Discard, Info{}, func(yield func(Part, error) bool) { yield(Part{}, gone) }); !errors.Is(err, gone) {
		t.Errorf("a part that can't be had: got %v", err)
	}
	for room := 0; room < len(part); room += 997 {
		if err := Merge(&brokenWriter{room: room}, Info{}, all(part)); !errors.Is(err, io.ErrShortWrite) {
			t.Fatalf("room for %d bytes: got %v", room, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(mustSplit(f, chromes(f))[0])
	f.Add(page("q /F 1 Tf (ab) Tj /X Do Q", "/Resources <</Font <</F 5 0 R>> /XObject <</X 6 0 R>>>> /Annots [<</Subtype /Link /Rect [0 0 1 1] /A <</S /URI /URI (https://x.example)>>>>]",
		"<</Type /Font /Subtype /Type3 /FirstChar 97 /LastChar 98 /Widths [1 2] /FontMatrix [1 0 0 1 0 0] /CharProcs <</a 7 0 R>> /Encoding <</Differences [97 /a]>> /ToUnicode 8 0 R>>",
		"<</Subtype /Image /Length 1>>\nstream\nx\nendstream", "<</Length 6>>\nstream\n1 0 d0\nendstream",
		"<</Length 60>>\nstream\n1 beginbfchar\n<61> <0061>\nendbfchar 1 beginbfrange <62> <63> <0062>\nendbfrange\nendstream"))
	f.Fuzz(func(t *testing.T, data []byte) {
		parts, err := Split(data)
		if err != nil {
			return
		}
		again, err := Split(mustMerge(t, Info{}, parts...))
		if err != nil {
			t.Fatalf("what was written can't be read: %v", err)
		}
		for i := range parts {
			if !bytes.Equal(parts[i], again[i]) {
				t.Fatalf("page %d comes out of a merged file differently", i)
			}
		}
	})
}

func FuzzFont(f *testing.F) {
	file := mustOpen(f, chromes(f))
	for r := range ref(len(file.offsets)) {
		if o, err := file.load(r); err == nil {
			if s, ok := o.(*stream); ok && s.dict["Length1"] != nil {
				data, err := file.decode(s)
				if err != nil {
					f.Fatal(err)
				}
				f.Add(data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		font, err := readTrueType(data)
		if err != nil {
			return
		}
		used := map[uint16]bool{}
		for id := 0; id < len(font.offsets)-1; id += 3 {
			used[uint16(id)] = true
		}
		outlines, err := font.outlines(used)
		if err != nil {
			return
		}
		again, err := readTrueType(font.file(outlines))
		if err != nil {
			t.Fatalf("what was written can't be read: %v", err)
		}
		for id, o := range outlines {
			if got := again.glyph(id); !bytes.Equal(bytes.TrimRight(got, "\x00"), bytes.TrimRight(o.glyph, "\x00")) {
				t.Fatalf("glyph %d changed", id)
			}
		}
	})
}

func FuzzCMap(f *testing.F) {
	f.Add([]byte("1 beginbfchar\n<61> <0061>\nendbfchar 1 beginbfrange <62> <63> <0062>\nendbfrange <<(a)>> [1] def"))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := readCMap(data)
		if err != nil {
			return
		}
		again, err := readCMap(writeCMap(all, 2))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(all, again); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
