package postgres

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"bytes"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A kind is what the text of a type means.
type kind struct {
	name    string
	element *kind // of a list
	delim   byte  // between its elements
	read    func(text []byte, digits int) (any, error)
}

func (k *kind) String() string {
	if k.element != nil {
		return k.element.String() + "[]"
	}
	return k.name
}

// What texts of the server become.
var (
	asText    = &kind{name: "text", read: func(text []byte, _ int) (any, error) { return string(text), nil }}
	asBlank   = &kind{name: "char", read: func(text []byte, _ int) (any, error) { return strings.TrimRight(string(text), " "), nil }}
	asBool    = &kind{name: "bool", read: func(text []byte, _ int) (any, error) { return string(text) == "t", nil }}
	asNumber  = &kind{name: "number", read: number}
	asMoment  = &kind{name: "timestamptz", read: func(text []byte, digits int) (any, error) { return moment(string(text), digits, "Z"), nil }}
	asClock   = &kind{name: "timestamp", read: func(text []byte, digits int) (any, error) { return moment(string(text), digits, ""), nil }}
	asDate    = &kind{name: "date", read: func(text []byte, _ int) (any, error) { return infinite(string(text)), nil }}
	asJSON    = &kind{name: "json", read: document}
	asBytes   = &kind{name: "bytea", read: base64Of}
	unlimited = -1 // the modifier of a type without one
)

// builtin are the server's own types, which have the same OID everywhere. All
// others are texts, unless the catalog says that they are lists.
var builtin = map[uint32]*kind{
	16: asBool, 17: asBytes, 20: asNumber, 21: asNumber, 23: asNumber, 26: asNumber, 700: asNumber, 701: asNumber, 1700: asNumber,
	18: asText, 19: asText, 25: asText, 1042: asBlank, 1043: asText, 2950: asText, 142: asText, 790: asText,
	114: asJSON, 3802: asJSON, 1082: asDate, 1083: asText, 1266: asText, 1114: asClock, 1184: asMoment, 1186: asText,
	869: asText, 650: asText, 829: asText, 774: asText, 1560: asText, 1562: asText, 705: asText,
}

// columnsOf are the columns of a result.
func (s *source) columnsOf(ctx context.Context, conn *pgconn.PgConn, fields []pgconn.FieldDescription) ([]column, error) {
	columns := make([]column, len(fields))
	seen := map[string]bool{}
	for i, f := range fields {
		if seen[f.Name] {
			return nil, problem.New(problem.Invalid, "two columns are named %q", f.Name).At("query").WithSlug(SameName).
				WithHint(`give one of them another name: SELECT … AS "%s_2"`, f.Name)
		}
		seen[f.Name] = true
		k, err := s.kindOf(ctx, conn, f.DataTypeOID)
		if err != nil {
			return nil, err
		}
		columns[i] = column{name: f.Name, kind: k, oid: f.DataTypeOID, digits: 6}
		if f.TypeModifier != int32(unlimited) && f.TypeModifier < 6 {
			columns[i].digits = int(f.TypeModifier)
		}
	}
	return columns, nil
}

const typeSQL = `
SELECT typtype, typcategory = 'A' AND typelem <> 0, typelem, CASE WHEN typtype = 'd' THEN typbasetype ELSE 0 END, typdelim
FROM pg_catalog.pg_type WHERE oid = $1::oid`

// kindOf is what a type means; the catalog is asked once for each.
func (s *source) kindOf(ctx context.Context, conn *pgconn.PgConn, oid uint32) (*kind, error) {
	if k := builtin[oid]; k != nil {
		return k, nil
	}
	s.mu.Lock()
	k := s.types[oid]
	s.mu.Unlock()
	if k != nil {
		return k, nil
	}
	rows, err := pg.Rows(ctx, conn, typeSQL, fmt.Sprint(oid))
	if err != nil {
		return nil, err
	}
	k = asText
	if len(rows) == 1 {
		row := rows[0]
		var list, base uint32
		_, _ = fmt.Sscan(string(row[2]), &list) // the server writes numbers
		_, _ = fmt.Sscan(string(row[3]), &base)
		switch {
		case string(row[1]) == "t":
			element, err := s.kindOf(ctx, conn, list)
			if err != nil {
				return nil, err
			}
			k = &kind{name: "list", element: element, delim: delimiterOf(ctx, conn, list)}
			k.read = k.list
		case base != 0:
			if k, err = s.kindOf(ctx, conn, base); err != nil {
				return nil, err
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.types[oid] = k
	return k, nil
}

// delimiterOf is what stands between elements of a type: a comma, but for boxes.
func delimiterOf(ctx context.Context, conn *pgconn.PgConn, oid uint32) byte {
	rows, err := pg.Rows(ctx, conn, typeSQL, fmt.Sprint(oid))
	if err != nil || len(rows) == 0 || len(rows[0][4]) == 0 {
		return ','
	}
	return rows[0][4][0]
}

// number keeps the digits; what is no number in JSON has its name.
func number(text []byte, _ int) (any, error) {
	switch s := string(text); s {
	case "NaN", "Infinity", "-Infinity":
		return s, nil
	default:
		return json.Number(s), nil
	}
}

// moment is a timestamp as RFC 3339 has it, with so many digits behind the second.
// Those that it has no form for, of before our era or far ahead, stay as they are.
func moment(text string, digits int, zone string) string {
	const second = len("2006-01-02 15:04:05")
	text = strings.TrimSuffix(text, "+00")
	if len(text) < second || text[4] != '-' || text[10] != ' ' || strings.HasSuffix(text, " BC") {
		return infinite(text)
	}
	fraction := strings.TrimPrefix(text[second:], ".")
	moment := text[:10] + "T" + text[11:second]
	if digits > 0 {
		moment += "." + (fraction + "000000")[:digits]
	}
	return moment + zone
}

// infinite names what has no end as numbers do.
func infinite(text string) string {
	switch text {
	case "infinity":
		return "Infinity"
	case "-infinity":
		return "-Infinity"
	}
	return text
}

func base64Of(text []byte, _ int) (any, error) {
	digits, ok := bytes.CutPrefix(text, []byte(`\x`))
	if !ok {
		return nil, errors.New("is not in hexadecimal")
	}
	raw := make([]byte, hex.DecodedLen(len(digits)))
	if _, err := hex.Decode(raw, digits); err != nil {
		return nil, err
	}
	return base64.StdEncoding.EncodeToString(raw), nil
}

func document(text []byte, _ int) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, fmt.Errorf("is no JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("is more than one JSON")
	}
	return value, nil
}
