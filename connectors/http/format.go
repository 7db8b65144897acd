package httppoll

import (
	"bytes"
	"mime"
	"strings"

	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// formatOf is the format of an answer: the one that is set, else the one that
// it says it is in, else the one that it looks like. begin is how it begins.
func formatOf(layout poll.Layout, a answer, begin []byte) (string, error) {
	media, _, _ := mime.ParseMediaType(a.contentType) // an answer without one is looked at
	format := layout.Format
	if format == "" && layout.Rows != "" {
		format = poll.JSON
	}
	begin = bytes.TrimLeft(bytes.TrimPrefix(begin, []byte(byteOrderMark)), " \t\r\n")
	if isHTML(media, begin, format) {
		wanted := "rows"
		if format != "" {
			wanted = format
		}
		return "", problem.New(problem.Upstream, "the answer is HTML or XML, not %s", wanted).
			WithSlug(NotRows).WithHint("open the address: it may be a login or an error page")
	}
	if format != "" {
		return format, nil
	}
	if format = formatOfMedia(media); format != "" {
		return format, nil
	}
	if len(begin) > 0 && (begin[0] == '{' || begin[0] == '[') {
		return poll.JSON, nil
	}
	return "", problem.New(problem.Unsupported, "Content-Type %q does not tell a format", a.contentType).
		WithHint("set format to one of %s", strings.Join(poll.Formats(), ", "))
}

func formatOfMedia(media string) string {
	switch media {
	case "application/json", "text/json":
		return poll.JSON
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines":
		return poll.NDJSON
	case "text/csv", "application/csv":
		return poll.CSV
	case "text/tab-separated-values":
		return poll.TSV
	case "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":
		return poll.XLSX
	}
	if strings.HasSuffix(media, "+json") {
		return poll.JSON
	}
	return ""
}

// isHTML also looks at the body, because error pages come under any type. In a
// table a cell may begin with "<", so that there it takes a whole tag.
func isHTML(media string, begin []byte, format string) bool {
	if !bytes.HasPrefix(begin, []byte("<")) {
		return media == "text/html" || media == "application/xhtml+xml"
	}
	if format != poll.CSV && format != poll.TSV && formatOfMedia(media) != poll.CSV {
		return true
	}
	begin = bytes.ToLower(begin[:min(len(begin), 16)])
	return bytes.HasPrefix(begin, []byte("<!doctype")) || bytes.HasPrefix(begin, []byte("<html")) || bytes.HasPrefix(begin, []byte("<?xml"))
}
