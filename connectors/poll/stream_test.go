package poll_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/campaign"
)

// A longDocument repeats a record until it has so many, and remembers the most
// memory that was in use while it was read.
type longDocument struct {
	begin, record, between, end string
	records                     int

	made int
	rest string
	peak uint64
}

func (d *longDocument) Read(p []byte) (int, error) {
	if d.rest == "" {
		switch d.made {
		case d.records + 1:
			return 0, io.EOF
		case d.records:
			d.rest = d.end
		case 0:
			d.rest = d.begin + fmt.Sprintf(d.record, d.made)
		default:
			d.rest = d.between + fmt.Sprintf(d.record, d.made)
		}
		if d.made++; d.made%20_000 == 0 {
			d.look()
		}
	}
	n := copy(p, d.rest)
	d.rest = d.rest[n:]
	return n, nil
}

func (d *longDocument) look() {
	runtime.GC()
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	d.peak = max(d.peak, now.HeapAlloc)
}

func TestLongDocumentIsReadInFlatMemory(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("large, and of one goroutine the race detector sees nothing: runs in the pass without -short")
	}
	const records, limit = 100_000, 24 << 20
	text := strings.Repeat("words ", 100)
	for name, c := range map[string]struct {
		layout   poll.Layout
		document longDocument
	}{
		"csv":    {asCSV, longDocument{begin: "id,text\n", record: "%d,\"" + text + "\"\n", end: "\n"}},
		"ndjson": {poll.Layout{Format: poll.NDJSON}, longDocument{record: `{"id":%d,"text":"` + text + "\"}\n", end: "\n"}},
		"json":   {asJSON("$.items"), longDocument{begin: `{"items":[`, record: `{"id":%d,"text":"` + text + `"}`, between: ",\n", end: "]}"}},
	} {
		t.Run(name, func(t *testing.T) {
			document := c.document
			document.records = records
			d, err := c.layout.Decoder(c.layout.Format, &document, []string{"id"})
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for ; err == nil; n++ {
				_, err = d.Next()
			}
			if !errors.Is(err, io.EOF) || n-1 != records {
				t.Errorf("%d elements, %v", n-1, err)
			}
			if document.peak == 0 || document.peak > limit {
				t.Errorf("%d MB were in use for a document of %d MB", document.peak>>20, len(text)*records>>20)
			}
		})
	}
}

func TestErrorOfTheReaderIsNotAnEnd(t *testing.T) {
	gone := errors.New("gone")
	for name, c := range map[string]struct {
		layout poll.Layout
		text   string
	}{
		"csv": {asCSV, "id,name\n1,a\n"}, "ndjson": {poll.Layout{Format: poll.NDJSON}, "{\"id\":1}\n"}, "json": {asJSON(""), `[{"id":1}]`},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := c.layout.Decoder(c.layout.Format, io.MultiReader(strings.NewReader(c.text), iotest.ErrReader(gone)), nil)
			for err == nil {
				_, err = d.Next()
			}
			if !errors.Is(err, gone) {
				t.Errorf("ended with %v, want the error of the reader", err)
			}
		})
	}
}

func TestMeterKnowsWhatItPassedOn(t *testing.T) {
	m := poll.Measure(strings.NewReader("1234567890"), 10)
	got, err := io.ReadAll(iotest.OneByteReader(m))
	if err != nil || string(got) != "1234567890" || m.Size() != 10 || m.Digest() != poll.Digest(got) {
		t.Errorf("%q, %v, size %d, digest %s", got, err, m.Size(), m.Digest())
	}
	if _, err := io.ReadAll(poll.Measure(strings.NewReader("12345678901"), 10)); err == nil || !strings.Contains(err.Error(), "larger than 10B") {
		t.Errorf("11 bytes under a limit of 10: %v", err)
	}
}

func TestDeclaredEncodingIsRead(t *testing.T) {
	for name, c := range map[string]struct{ encoding, text, want string }{
		"latin1":                   {"latin1", "name\nGr\xf6\xdfe\n", "Größe"},
		"windows-1252":             {"Windows-1252", "name\n5 \x80\n", "5 €"},
		"iso-8859-15":              {"iso-8859-15", "name\n5 \xa4\n", "5 €"},
		"shift_jis":                {"shift_jis", "name\n\x93\xfa\x96{\n", "日本"},
		"UTF-16 without a mark":    {"utf-16le", inUTF16("name\nGröße 😀\n", true)[2:], "Größe 😀"},
		"big UTF-16":               {"utf-16be", inUTF16("name\nGröße 😀\n", false)[2:], "Größe 😀"},
		"utf-8":                    {"utf-8", "name\nGröße\n", "Größe"},
		"a mark is believed first": {"latin1", "\ufeffname\nGröße\n", "Größe"},
		"a mark of UTF-16 too":     {"utf-8", inUTF16("name\nGröße\n", false), "Größe"},
	} {
		t.Run(name, func(t *testing.T) {
			got := mustDecode(t, poll.Layout{Format: poll.CSV, Encoding: c.encoding}, c.text)
			mustEqual(t, []map[string]any{{"name": c.want}}, rowsOf(got))
		})
	}
}

func TestBytesThatAreNotOfTheEncodingAreAnErrorAtTheirLine(t *testing.T) {
	for name, c := range map[string]struct{ encoding, text, words string }{
		"not declared":        {"", "name\n1\nGr\xf6\xdfe\n", "encoding"},
		"not of Shift_JIS":    {"shift_jis", "name\n1\n\xa0\n", "SHIFT_JIS"},
		"half of UTF-16":      {"utf-16le", "n\x00\n\x00\n\x00\n\x00x", "UTF-16"},
		"NUL in Latin-1":      {"latin1", "name\n1\n\x00\n", "NUL"},
		"half of a character": {"shift_jis", "name\n1\n\x93", "SHIFT_JIS"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decode(poll.Layout{Format: poll.CSV, Encoding: c.encoding}, c.text)
			line := 3
			if name == "half of UTF-16" {
				line = 4
			}
			mustProblem(t, err, line, c.words)
		})
	}
}
