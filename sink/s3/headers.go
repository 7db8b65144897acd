package s3

import (
	"errors"
	"mime"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/fields"
)

// HeaderRefused is the slug of a header that a row's values make impossible.
const HeaderRefused = "header_refused"

// hashName is the object's metadata that says which picture it is.
const hashName = "pictifyd-sha256"

const (
	maxTags     = 10
	maxTag      = 256 // characters
	maxMetadata = 2 << 10

	maxDisposition = 2 << 10 // all headers of a request have 8 KiB at Amazon's
)

// contentTypes are those of the formats.
var contentTypes = map[string]string{
	"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif", "pdf": "application/pdf",
}

// headers are those of Config that are made from a row.
type headers struct {
	disposition    *expr.Interpolation
	metadata, tags map[string]*expr.Interpolation
}

// A dress is what an object has beside its bytes.
type dress struct {
	contentType  string
	cacheControl *string
	disposition  *string
	tagging      *string
	metadata     map[string]string
}

var metadataForm = regexp.MustCompile(`^[a-z0-9_-]{1,100}$`)

// parseHeaders reads the expressions of the headers. The error is a problem.List.
func parseHeaders(c *Config) (headers, error) {
	var problems problem.List
	parse := func(path, text string) *expr.Interpolation {
		in, err := expr.ParseInterpolation(text, expr.Options{Names: fields.Names()})
		if err != nil {
			problems = append(problems, inHeader(err).At(path))
		}
		return in
	}
	var h headers
	if c.ContentDisposition != "" {
		h.disposition = parse("content_disposition", c.ContentDisposition)
		if h.disposition != nil {
			if _, err := disposition(h.disposition.Sketch("a b")); err != nil {
				problems = append(problems, err.At("content_disposition"))
			}
		}
	}
	all := func(path string, texts map[string]string, good func(name string) bool) map[string]*expr.Interpolation {
		parsed := map[string]*expr.Interpolation{}
		for _, name := range sorted(texts) {
			if !good(name) {
				problems = append(problems, problem.New(problem.Invalid, "%q can't be a name here", name).At(path).WithHint("use lower-case letters, digits, - and _"))
			}
			parsed[name] = parse(path+"."+name, texts[name])
		}
		return parsed
	}
	h.metadata = all("metadata", c.Metadata, func(name string) bool { return metadataForm.MatchString(name) && name != hashName })
	h.tags = all("tags", c.Tags, func(name string) bool { return name != "" && len(name) <= 128 })
	if len(c.Tags) > maxTags {
		problems = append(problems, problem.New(problem.Invalid, "an object has at most %d tags", maxTags).At("tags"))
	}
	return h, problems.Err()
}

// of makes the headers of an object of o. The error is permanent.
func (h headers) of(d sink.Delivery, o sink.Output, cacheControl string) (dress, error) {
	made := dress{contentType: contentTypes[o.Format], metadata: map[string]string{hashName: o.Hash}}
	if made.contentType == "" {
		made.contentType = "application/octet-stream"
	}
	if cacheControl != "" {
		made.cacheControl = aws.String(cacheControl)
	}
	values, env := fields.OfOutput(d, o), expr.Env{Now: d.Time}
	if h.disposition != nil {
		text, err := h.disposition.Fill(values, env, quoted)
		if err != nil {
			return made, refused(inHeader(err))
		}
		header, invalid := disposition(text)
		if invalid != nil {
			return made, refused(invalid)
		}
		if len(header) > maxDisposition {
			return made, refused(problem.New(problem.TooLarge, "the content_disposition is longer than %d bytes", maxDisposition))
		}
		made.disposition = &header
	}
	size := 0
	for name, text := range h.metadata {
		value, err := text.Fill(values, env, func(value string) string { return value })
		if err != nil {
			return made, refused(inHeader(err))
		}
		// Only ASCII stands in a header; RFC 2047 is how S3 says the rest.
		made.metadata[name] = mime.QEncoding.Encode("utf-8", strings.Map(printable, value))
		size += len(name) + len(made.metadata[name])
	}
	if size > maxMetadata {
		return made, refused(problem.New(problem.TooLarge, "the metadata is longer than %d bytes", maxMetadata))
	}
	tags := url.Values{}
	for name, text := range h.tags {
		value, err := text.Fill(values, env, func(value string) string { return value })
		if err != nil {
			return made, refused(inHeader(err))
		}
		tags.Set(name, tagValue(value))
	}
	if len(tags) > 0 {
		made.tagging = aws.String(tags.Encode())
	}
	return made, nil
}

// tagValue has only what S3 takes in a tag.
func tagValue(value string) string {
	runes := []rune(strings.Map(func(r rune) rune {
		if r == ' ' || unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("+-=._:/@", r) {
			return r
		}
		return '_'
	}, value))
	return string(runes[:min(len(runes), maxTag)])
}

// quoted makes a value a part of a quoted string.
func quoted(value string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(strings.Map(printable, value))
}

// printable leaves nothing that would end a header.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' || 0x80 <= r && r < 0xa0 {
		return '_'
	}
	return r
}

// disposition is the header with names in other letters than ASCII's as RFC 6266
// has them.
func disposition(text string) (string, *problem.Error) {
	kind, params, err := mime.ParseMediaType(text)
	if err == nil && (kind == "inline" || kind == "attachment") {
		if header := mime.FormatMediaType(kind, params); header != "" {
			return header, nil
		}
	}
	return "", problem.New(problem.Invalid, "%.200q is not a Content-Disposition", text).
		WithHint(`write: attachment; filename="{{ key }}.{{ ext }}"`)
}

func inHeader(err error) *problem.Error {
	var p *problem.Error
	if errors.As(err, &p) {
		return p
	}
	return problem.New(problem.Invalid, "%w", err)
}

func refused(p *problem.Error) error { return retry.Permanent(p.WithSlug(HeaderRefused)) }
