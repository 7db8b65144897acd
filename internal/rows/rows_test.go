package rows

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func inUTF16(text string, high, low int) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		two := [2]byte{}
		two[high], two[low] = byte(unit>>8), byte(unit)
		b.Write(two[:])
	}
	return b.String()
}

// cuts are readers that cut a text in ways that a network does.
var cuts = map[string]func(io.Reader) io.Reader{
	"whole": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader,
	"halves": iotest.HalfReader, "error with data": iotest.DataErrReader,
}

func TestTextIsTheSameHoweverItComes(t *testing.T) {
	want := "sku;Größe 😀\n" + strings.Repeat("€", 40_000) + "\n"
	for dress, text := range map[string]string{
		"UTF-8": want, "with a mark": "\ufeff" + want, "UTF-16 LE": inUTF16(want, 1, 0), "UTF-16 BE": inUTF16(want, 0, 1),
	} {
		for cut, sliced := range cuts {
			got, err := io.ReadAll(Text(sliced(strings.NewReader(text))))
			if string(got) != want || err != nil {
				t.Errorf("%s, %s: %d bytes, %v", dress, cut, len(got), err)
			}
		}
	}
}

func TestWhatIsNoTextIsRefusedAtItsLine(t *testing.T) {
	for text, word := range map[string]string{
		"a\nb\n\xe9x": "0xe9", "a\nb\n\xe2\x82": "0xe2", "a\nb\n\x00": "NUL",
		"\xff\xfea\x00\n\x00\n\x00b": "UTF-16", "\xff\xfea\x00\n\x00\n\x00\x00\xd8b\x00": "UTF-16", "\xff\xfe\n\x00\n\x00\x00\x00": "NUL",
	} {
		for cut, sliced := range cuts {
			_, err := io.ReadAll(Text(sliced(strings.NewReader(text))))
			var p *problem.Error
			if !errors.As(err, &p) || p.Pos.Line != 3 || !strings.Contains(p.Message, word) {
				t.Errorf("%q, %s: %v, want %s on line 3", text, cut, err, word)
			}
		}
	}
}

func TestLinesHoldNoMoreThanTheyMay(t *testing.T) {
	long := strings.Repeat("x", 300_000)
	lines := NewLines(strings.NewReader("\n one \r\n"+long+"\n"+strings.Repeat(" ", 200_000)+"two\n\nthree"), 100_000)
	var got []string
	for {
		l, err := lines.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			break
		}
		got = append(got, fmt.Sprintf("%d %s %v %v", l.Number, l.Text, l.TooLong, l.Ended))
	}
	want := "2 one false true|3  true true|4 two false true|6 three false false"
	if all := strings.Join(got, "|"); all != want {
		t.Errorf("got %s, want %s", all, want)
	}
}

func TestLinesReturnTheErrorOfTheReader(t *testing.T) {
	gone := errors.New("gone")
	lines := NewLines(io.MultiReader(strings.NewReader("one\ntw"), iotest.ErrReader(gone)), 100)
	if l, err := lines.Next(); err != nil || string(l.Text) != "one" {
		t.Fatalf("%s, %v", l.Text, err)
	}
	if _, err := lines.Next(); !errors.Is(err, gone) {
		t.Errorf("got %v, want the reader's error: the line is half", err)
	}
}

// FuzzCSV: whatever the bytes, reading ends, and says the same however they come,
// but for which of several faults is met first.
func FuzzCSV(f *testing.F) {
	for _, text := range []string{"a,b\n1,2\n", "a;b\n\"1\n2\";3\n", "\xff\xfea\x00\n\x001\x00", "a\n\"", "a,a\n", "\ufeffa\r\n1\r\n", "\n\xe8"} {
		f.Add(text)
	}
	read := func(r io.Reader) (all string, err error) {
		table, err := NewCSV(Text(r), 0, 1<<16)
		for err == nil {
			var r Record
			if r, err = table.Next(); err == nil {
				all += fmt.Sprintf("%d %q\n", r.Line, r.Cells)
			}
		}
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		return "", err
	}
	f.Fuzz(func(t *testing.T, text string) {
		whole, err := read(strings.NewReader(text))
		sliced, slicedErr := read(iotest.OneByteReader(strings.NewReader(text)))
		if whole != sliced || (err == nil) != (slicedErr == nil) {
			t.Errorf("whole: %s %v\nbyte by byte: %s %v", whole, err, sliced, slicedErr)
		}
	})
}
