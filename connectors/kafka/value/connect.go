package value

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
)

// A shape is a schema of Kafka Connect, as its JSON converter writes it beside each
// payload. nil says nothing.
type shape struct {
	kind    string // its type
	meaning meaning
	fields  map[string]*shape // of a struct
	items   *shape            // of an array
	values  *shape            // of a map
}

// A connectSchema is a shape in JSON.
type connectSchema struct {
	Type       string            `json:"type"`
	Name       string            `json:"name"`
	Field      string            `json:"field"`
	Parameters map[string]string `json:"parameters"`
	Fields     []*connectSchema  `json:"fields"`
	Items      *connectSchema    `json:"items"`
	Values     *connectSchema    `json:"values"`
}

func (c *connectSchema) shape(of dialect) *shape {
	if c == nil {
		return nil
	}
	s := &shape{kind: c.Type, meaning: meaning{name: c.Name, dialect: of}, items: c.Items.shape(of), values: c.Values.shape(of)}
	s.meaning.scale, _ = strconv.Atoi(c.Parameters["scale"])
	s.meaning.length, _ = strconv.Atoi(c.Parameters["length"])
	if len(c.Fields) > 0 {
		s.fields = make(map[string]*shape, len(c.Fields))
		for _, f := range c.Fields {
			if f != nil {
				s.fields[f.Field] = f.shape(of)
			}
		}
	}
	return s
}

// field is the shape of a member.
func (s *shape) field(name string) *shape {
	if s == nil {
		return nil
	}
	return s.fields[name]
}

// convert makes of a value what s says that it means.
func (s *shape) convert(v any) (any, error) {
	if s == nil || v == nil {
		return v, nil
	}
	switch v := v.(type) {
	case json.Number:
		return s.number(v)
	case string:
		if s.kind != "bytes" {
			return s.meaning.text(v), nil
		}
		b, err := base64.StdEncoding.DecodeString(v)
		if err != nil {
			return nil, fmt.Errorf("is not in base64, as bytes are")
		}
		if value, known, err := s.meaning.octets(b); known || err != nil {
			return value, err
		}
	case []any:
		for i := range v {
			var err error
			if v[i], err = s.items.convert(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		return s.object(v)
	}
	return v, nil
}

func (s *shape) number(n json.Number) (any, error) {
	switch s.kind {
	case "float", "float32", "double", "float64":
		size := 64
		if s.kind == "float" || s.kind == "float32" {
			size = 32
		}
		if f, err := strconv.ParseFloat(string(n), size); err == nil {
			return float(f, size), nil
		}
	default:
		if i, err := strconv.ParseInt(string(n), 10, 64); err == nil {
			if value, known := s.meaning.integer(i); known {
				return value, nil
			}
		}
	}
	return n, nil
}

func (s *shape) object(object map[string]any) (any, error) {
	for name, value := range object {
		of := s.values
		if s.fields != nil {
			of = s.fields[name]
		}
		converted, err := of.convert(value)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
		object[name] = converted
	}
	return s.meaning.structure(object)
}

// shapes are schemas that were beside payloads, by their text: it is the same with
// each record of a table, and longer than its row.
type shapes struct {
	mu sync.Mutex

	known map[string]*shape
	// begins are how texts begin, up to their payload: so the schema of the next one
	// is compared, and not read. Keys and values have their own.
	begins []begin
}

// A begin is the text in front of payloads of a shape.
type begin struct {
	text  []byte
	shape *shape
}

// maxShapes is how many are kept, of tables that change their columns.
const maxShapes = 256

func (s *shapes) of(text []byte, d dialect) (*shape, *flaw) {
	s.mu.Lock()
	known, ok := s.known[string(text)]
	s.mu.Unlock()
	if ok {
		return known, nil
	}
	var c *connectSchema
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, flawed(BadSchema, "the schema beside the payload is none: %v", err)
	}
	made := c.shape(d)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= maxShapes {
		s.known = map[string]*shape{}
	}
	s.known[string(text)] = made
	return made, nil
}

// maxBegins is how many are compared, of topics with several tables in them.
const maxBegins = 8

// payload is what follows a schema that was read lately, where text has the same.
func (s *shapes) payload(text []byte) (payload []byte, of *shape, same bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text = bytes.TrimRight(text, " \t\r\n")
	for _, b := range s.begins {
		if len(text) > len(b.text) && text[len(text)-1] == '}' && bytes.HasPrefix(text, b.text) {
			return text[len(b.text) : len(text)-1], b.shape, true
		}
	}
	return nil, nil, false
}

// remember notes how text begins, which is good and ends with its payload.
func (s *shapes) remember(text, payload []byte, of *shape) {
	text = bytes.TrimRight(text, " \t\r\n")
	end := len(text) - 1 - len(payload)
	if end <= 0 || !bytes.Equal(text[end:len(text)-1], payload) || !bytes.HasSuffix(text[:end], []byte(`"payload":`)) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.begins) >= maxBegins {
		s.begins = s.begins[1:]
	}
	s.begins = append(slices.Clip(s.begins), begin{bytes.Clone(text[:end]), of})
}

// readConnect reads what Kafka Connect's JSON converter writes: a payload with its
// schema, or the payload alone.
func (d *Decoder) readConnect(text []byte) (parsed, error) {
	head := bytes.TrimLeft(bytes.TrimPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")), " \t\r\n")
	if bytes.HasPrefix(head, []byte(`"schema"`)) || bytes.HasPrefix(head, []byte(`"payload"`)) {
		if payload, of, same := d.shapes.payload(text); same {
			if value, bad := readJSON(payload); bad == nil {
				return parsed{value: value, shape: of, framed: true}, nil
			}
		}
		var parts map[string]json.RawMessage
		if bad := readJSONInto(text, &parts); bad != nil {
			return parsed{}, bad
		}
		schema, also := parts["schema"]
		if payload, ok := parts["payload"]; ok && also && len(parts) == 2 {
			s, bad := d.shapes.of(schema, dialect(d.cfg.Envelope))
			if bad != nil {
				return parsed{}, bad
			}
			value, bad := readJSON(payload)
			if bad != nil {
				return parsed{}, bad
			}
			d.shapes.remember(text, payload, s)
			return parsed{value: value, shape: s, framed: true}, nil
		}
	}
	value, bad := readJSON(text)
	if bad != nil {
		return parsed{}, bad
	}
	return parsed{value: value}, nil
}
