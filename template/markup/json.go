package markup

import (
	"bytes"
	"encoding/json"
	"strings"
)

// InlineJSON is a JSON value on one line, as manifests have them: { "a": 1 },
// the members in their order. It holds no <, which could end its script.
func InlineJSON(raw []byte) (string, error) {
	return formatJSON(raw, 0)
}

// ManifestJSON is a manifest as it is printed: a line for every member, for
// every size and for every variable.
func ManifestJSON(raw []byte) (string, error) {
	return formatJSON(raw, 2)
}

// formatJSON prints objects of the outer levels with a line for every member.
func formatJSON(raw []byte, open int) (string, error) {
	if !json.Valid(raw) { // the message of the decoder says where
		var v any
		return "", json.Unmarshal(raw, &v)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var b strings.Builder
	if err := writeJSON(&b, dec, open, ""); err != nil {
		return "", err
	}
	return b.String(), nil
}

func writeJSON(b *strings.Builder, dec *json.Decoder, open int, indent string) error {
	t, err := dec.Token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('{'):
		return writeObject(b, dec, open, indent)
	case json.Delim('['):
		return writeArray(b, dec)
	}
	b.WriteString(scalar(t))
	return nil
}

func writeObject(b *strings.Builder, dec *json.Decoder, open int, indent string) error {
	b.WriteString("{")
	before, between, after := " ", ", ", " "
	if open > 0 {
		before, between, after = "\n"+indent+"  ", ",\n"+indent+"  ", "\n"+indent
	}
	any := false
	for ; dec.More(); any = true {
		if any {
			b.WriteString(between)
		} else {
			b.WriteString(before)
		}
		key, err := dec.Token()
		if err != nil {
			return err
		}
		b.WriteString(scalar(key) + ": ")
		inner := open - 1
		if open == 2 && key != "sizes" && key != "vars" {
			inner = 0
		}
		if err := writeJSON(b, dec, inner, indent+"  "); err != nil {
			return err
		}
	}
	if any {
		b.WriteString(after)
	}
	b.WriteString("}")
	_, err := dec.Token()
	return err
}

func writeArray(b *strings.Builder, dec *json.Decoder) error {
	b.WriteString("[")
	for first := true; dec.More(); first = false {
		if !first {
			b.WriteString(", ")
		}
		if err := writeJSON(b, dec, 0, ""); err != nil {
			return err
		}
	}
	b.WriteString("]")
	_, err := dec.Token()
	return err
}

// scalar is a text, number or word of JSON.
func scalar(t json.Token) string {
	if n, ok := t.(json.Number); ok {
		return n.String()
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(t); err != nil {
		return "null" // a token of the decoder always encodes
	}
	return strings.ReplaceAll(strings.TrimSuffix(b.String(), "\n"), "<", `\u003c`)
}
