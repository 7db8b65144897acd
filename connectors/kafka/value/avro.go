package value

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/twmb/avro"
)

// A schema reads what was written with it.
type schema struct{ avro *avro.Schema }

// A reference is the text of a schema that another refers to.
type reference struct{ name, text string }

// newSchema compiles a schema, behind those that it refers to, each of which stands
// behind those that it refers to itself.
func newSchema(text string, references []reference, d dialect) (*schema, error) {
	s, err := compile(text, references, d)
	if err == nil {
		return s, nil
	}
	mended := make([]reference, len(references))
	for i, r := range references {
		mended[i] = reference{r.name, withoutBrokenDecimals(r.text)}
	}
	if s, again := compile(withoutBrokenDecimals(text), mended, d); again == nil {
		return s, nil
	}
	return nil, err
}

func compile(text string, references []reference, d dialect) (*schema, error) {
	cache := new(avro.SchemaCache)
	options := append(customs(d), avro.WithLaxNames(func(string) error { return nil }))
	seen := map[string]bool{}
	for _, r := range references {
		if seen[r.text] { // under another subject
			continue
		}
		seen[r.text] = true
		if _, err := cache.Parse(r.text, options...); err != nil {
			return nil, fmt.Errorf("in %s, which it refers to: %w", r.name, err)
		}
	}
	s, err := cache.Parse(text, options...)
	if err != nil {
		return nil, err
	}
	return &schema{s}, nil
}

// withoutBrokenDecimals takes the logical type off decimals that are none by Avro's
// rules, which wants it passed over then: Oracle has those of more digits behind the
// point than there are.
func withoutBrokenDecimals(text string) string {
	tree, bad := readJSON([]byte(text))
	if bad != nil {
		return text
	}
	var walk func(any)
	walk = func(node any) {
		switch node := node.(type) {
		case []any:
			for _, one := range node {
				walk(one)
			}
		case map[string]any:
			if node["logicalType"] == "decimal" && !isDecimal(node) {
				delete(node, "logicalType")
			}
			for _, one := range node {
				walk(one)
			}
		}
	}
	walk(tree)
	mended, err := json.Marshal(tree)
	if err != nil {
		return text
	}
	return string(mended)
}

func isDecimal(node map[string]any) bool {
	of := func(name string) int64 {
		n, _ := node[name].(json.Number)
		i, _ := n.Int64()
		return i
	}
	return of("precision") > 0 && of("scale") >= 0 && of("scale") <= of("precision")
}

// read reads one value, and nothing behind it.
func (s *schema) read(body []byte) (value any, bad *flaw) {
	rest, err := s.avro.Decode(body, &value)
	switch {
	case err != nil:
		return nil, flawed(badRecord, "it is not what its schema says: %v", err)
	case len(rest) > 0:
		return nil, flawed(badRecord, "there are %d bytes more than its schema says", len(rest))
	}
	return value, nil
}

// customs have values come out as rows have them.
func customs(d dialect) []avro.SchemaOpt {
	of := func(avroType string, decode func(v any, m *meaning) (any, error)) avro.SchemaOpt {
		return avro.CustomType{AvroType: avroType, Decode: func(v any, node *avro.SchemaNode) (any, error) {
			m := meaningOf(node, d)
			return decode(v, &m)
		}}
	}
	whole := func(n int64, m *meaning) any {
		if value, known := m.integer(n); known {
			return value
		}
		return json.Number(strconv.FormatInt(n, 10))
	}
	return []avro.SchemaOpt{
		of("int", func(v any, m *meaning) (any, error) { return whole(int64(v.(int32)), m), nil }),
		of("long", func(v any, m *meaning) (any, error) { return whole(v.(int64), m), nil }),
		of("float", func(v any, _ *meaning) (any, error) { return float(float64(v.(float32)), 32), nil }),
		of("double", func(v any, _ *meaning) (any, error) { return float(v.(float64), 64), nil }),
		of("bytes", octets),
		of("fixed", octets),
		of("string", func(v any, m *meaning) (any, error) {
			text := v.(string)
			if !utf8.ValidString(text) {
				return nil, errNoText
			}
			return m.text(text), nil
		}),
		of("map", func(v any, _ *meaning) (any, error) {
			for name := range v.(map[string]any) {
				if !utf8.ValidString(name) {
					return nil, errNoText
				}
			}
			return v, nil
		}),
		of("record", func(v any, m *meaning) (any, error) { return m.structure(v.(map[string]any)) }),
	}
}

var errNoText = errors.New("a text that is no UTF-8")

func octets(v any, m *meaning) (any, error) {
	b := v.([]byte)
	if value, known, err := m.octets(b); known || err != nil {
		return value, err
	}
	switch {
	case m.name == "uuid" && len(b) == 16:
		h := hex.EncodeToString(b)
		return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], nil
	case m.name == "duration" && len(b) == 12:
		return avro.DurationFromBytes(b).String(), nil
	}
	return base64.StdEncoding.EncodeToString(b), nil
}

// meaningOf is what a type of a schema means: by the name that Kafka Connect gives
// it, else by its logical type.
func meaningOf(node *avro.SchemaNode, d dialect) meaning {
	m := meaning{name: node.LogicalType, scale: node.Scale, dialect: d}
	if len(node.Props) == 0 {
		return m
	}
	if name, ok := node.Props["connect.name"].(string); ok {
		m.name = name
		if parameters, ok := node.Props["connect.parameters"].(map[string]any); ok {
			if text, ok := parameters["length"].(string); ok {
				m.length, _ = strconv.Atoi(text)
			}
			if text, ok := parameters["scale"].(string); ok {
				m.scale, _ = strconv.Atoi(text)
			}
		}
	}
	return m
}
