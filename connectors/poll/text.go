package poll

import (
	"bytes"
	"io"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/internal/rows"
)

// utf8Text is data as UTF-8 without a byte order mark. UTF-16 is recognised by
// its mark only.
func utf8Text(data []byte) ([]byte, error) {
	// No mark of UTF-16 is UTF-8.
	if text := bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")); utf8.Valid(text) && bytes.IndexByte(text, 0) < 0 {
		return text, nil
	}
	return io.ReadAll(rows.Text(bytes.NewReader(data)))
}

func lineAt(text []byte, n int) int { return 1 + bytes.Count(text[:n], []byte("\n")) }
