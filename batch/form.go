package batch

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A Format is how a body, or a document that one names, holds its rows.
type Format string

// The formats.
const (
	JSON   Format = "json"   // one object with the rows in it, or a list of rows
	NDJSON Format = "ndjson" // one object a line
	CSV    Format = "csv"
	TSV    Format = "tsv"
	XLSX   Format = "xlsx"
)

// FormatOf is the format of a media type, as in text/csv; "" for another.
func FormatOf(media string) Format {
	switch media = strings.ToLower(media); media {
	case "application/json", "text/json":
		return JSON
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines", "application/jsonlines":
		return NDJSON
	case "text/csv", "application/csv":
		return CSV
	case "text/tab-separated-values":
		return TSV
	case "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":
		return XLSX
	}
	if strings.HasSuffix(media, "+json") {
		return JSON
	}
	return ""
}

// A Form is how a request is made: the format of its body, and the query, which
// may give every field of the JSON object but the rows.
type Form struct {
	Format Format // "" is JSON
	Query  url.Values
}

// Digest is the digest of a request whose body has the SHA-256 sum: the body's
// own where the query says nothing.
func (f Form) Digest(sum []byte) string {
	if len(f.Query) > 0 {
		h := sha256.New()
		h.Write(sum)
		_, _ = io.WriteString(h, f.Query.Encode()) // sorted by name
		sum = h.Sum(nil)
	}
	return hex.EncodeToString(sum)
}

// DigestOf reads body to its end and is the Digest of a request made of it in
// the form, for one that was decoded before. Limits bound it as Decode.
func DigestOf(body io.Reader, form Form, limits Limits) (string, error) {
	in := newInput(body, limits.orDefaults().Body)
	if _, err := io.Copy(io.Discard, in); err != nil {
		return "", in.failure(err)
	}
	return form.Digest(in.digest.Sum(nil)), nil
}

// failure is err as a problem of the body, if it is none of the reader below.
func (in *input) failure(err error) error {
	var found *problem.Error
	switch {
	case errors.As(in.err, &found):
		return found
	case in.err != nil:
		return fmt.Errorf("read the batch: %w", in.err)
	}
	return err
}

// textFields are those that a query gives as they stand, also where they look
// like a number.
var textFields = map[string]bool{
	"format": true, "compression": true, "paper": true, "title": true, "size": true, "theme": true,
	"locale": true, "timezone": true, "currency": true, "rowKey": true, "webhookUrl": true, "priority": true,
	"sourceUrl": true, "source": true, "binding": true, "sourceRows": true, "delimiter": true, "sheet": true,
	"experiment": true, "experimentUnit": true,
}

// readQuery takes the fields that stand in the query.
func (f *fields) readQuery(query url.Values) (problems problem.List) {
	for _, name := range sortedKeys(query) {
		meaning, known := canonicalField[name]
		switch {
		case !known || meaning == "variables":
			problems = append(problems, unknownField(name, canonicalField).At(name))
			continue
		case len(query[name]) > 1:
			problems = append(problems, givenTwice(name, name).At(name))
			continue
		}
		if before, twice := f.given[meaning]; twice {
			problems = append(problems, givenTwice(before, name).At(name))
			continue
		}
		f.given[meaning] = name
		problems = append(problems, f.set(name, queryValue(meaning, query.Get(name)))...)
	}
	return problems
}

// queryValue is text of a query as the JSON that it stands for.
func queryValue(meaning, text string) json.RawMessage {
	switch {
	case textFields[meaning]:
	case meaning == "sizes" && !strings.HasPrefix(strings.TrimSpace(text), "["):
		return asJSON(strings.Split(text, ","))
	case json.Valid([]byte(text)):
		return bytes.TrimSpace([]byte(text))
	}
	return asJSON(text)
}

// asJSON is v, which is made of texts, as JSON.
func asJSON(v any) json.RawMessage {
	text, err := encode(v)
	if err != nil {
		panic(err) // texts can be written
	}
	return text
}
