package value

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A dialect is who writes the values, where that decides what they mean.
type dialect string

// A meaning is what a type is for, as schemas of Kafka Connect name it, and its
// parameters. Values come out in the texts in which the source postgres has them.
type meaning struct {
	name    string
	scale   int // of decimals
	length  int // of bits
	dialect dialect
}

// The limits of decimals: PostgreSQL has none beyond them, and a text of digits
// takes time that grows with the square of its length.
const (
	maxUnscaled = 8 << 10
	maxScale    = 20_000
)

const (
	layoutMicros = "2006-01-02T15:04:05.000000"
	layoutMillis = "2006-01-02T15:04:05.000"
	layoutNanos  = "2006-01-02T15:04:05.000000000"
	layoutDate   = "2006-01-02"
)

// What PostgreSQL has for moments without an end, as Debezium has them in
// microseconds.
const (
	infinityMicros         = 9223372036825200000
	negativeInfinityMicros = -9223372036832400000
)

// integer is a whole number that has the meaning; known is false where it is just
// a number.
func (m *meaning) integer(n int64) (value any, known bool) {
	switch m.name {
	case "io.debezium.time.Date", "org.apache.kafka.connect.data.Date", "date":
		return date(n), true
	case "io.debezium.time.Time", "org.apache.kafka.connect.data.Time", "time-millis":
		return clock(n, 1e3), true
	case "io.debezium.time.MicroTime", "time-micros":
		return clock(n, 1e6), true
	case "io.debezium.time.NanoTime":
		return clock(n, 1e9), true
	case "io.debezium.time.Timestamp", "local-timestamp-millis":
		return moment(n, 1e3, ""), true
	case "org.apache.kafka.connect.data.Timestamp":
		if m.dialect == Debezium { // has those with a zone as texts
			return moment(n, 1e3, ""), true
		}
		return moment(n, 1e3, "Z"), true
	case "timestamp-millis":
		return moment(n, 1e3, "Z"), true
	case "io.debezium.time.MicroTimestamp", "local-timestamp-micros":
		return moment(n, 1e6, ""), true
	case "timestamp-micros":
		return moment(n, 1e6, "Z"), true
	case "io.debezium.time.NanoTimestamp", "local-timestamp-nanos":
		return moment(n, 1e9, ""), true
	case "timestamp-nanos":
		return moment(n, 1e9, "Z"), true
	}
	return nil, false
}

// octets are bytes that have the meaning.
func (m *meaning) octets(b []byte) (value any, known bool, err error) {
	switch m.name {
	case "org.apache.kafka.connect.data.Decimal", "decimal":
		n, err := decimal(b, m.scale)
		return n, true, err
	case "io.debezium.data.Bits":
		if m.length > 0 && m.length <= 8*len(b) {
			return bits(b, m.length), true, nil
		}
	}
	return nil, false, nil
}

// text is a text that has the meaning; another is as it is.
func (m *meaning) text(s string) any {
	switch m.name {
	case "io.debezium.data.Json":
		if value, bad := readJSON([]byte(s)); bad == nil {
			return value
		}
	case "io.debezium.time.ZonedTimestamp":
		switch s {
		case "infinity":
			return "Infinity"
		case "-infinity":
			return "-Infinity"
		}
		if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
			return written(t.UTC()) + "Z"
		}
	case "io.debezium.time.IsoTimestamp":
		if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
			return written(t.UTC())
		}
	case "io.debezium.time.IsoDate":
		return strings.TrimSuffix(s, "Z")
	case "io.debezium.time.IsoTime":
		return shortened(strings.TrimSuffix(s, "Z"))
	case "io.debezium.time.Interval":
		return interval(s)
	case "io.debezium.time.ZonedTime":
		if clock, utc := strings.CutSuffix(s, "Z"); utc {
			return shortened(clock) + "+00"
		}
	}
	return s
}

var intervalForm = regexp.MustCompile(`^P(-?\d+)Y(-?\d+)M(-?\d+)DT(-?\d+)H(-?\d+)M(-?[0-9.]+)S$`)

// interval is without the parts that are nothing.
func interval(s string) string {
	parts := intervalForm.FindStringSubmatch(s)
	if parts == nil {
		return s
	}
	text := "P"
	for i, part := range parts[1:] {
		if i == 3 {
			text += "T"
		}
		if part = shortened(part); strings.Trim(part, "-0") != "" {
			text += part + "YMDHMS"[i:i+1]
		}
	}
	if text = strings.TrimSuffix(text, "T"); text == "P" {
		return "PT0S"
	}
	return text
}

// written has six digits behind the second, or nine where six are not enough.
func written(t time.Time) string {
	if t.Nanosecond()%1000 != 0 {
		return t.Format(layoutNanos)
	}
	return t.Format(layoutMicros)
}

// shortened is the text of a clock without the noughts behind a fraction.
func shortened(clock string) string {
	if strings.Contains(clock, ".") {
		return strings.TrimSuffix(strings.TrimRight(clock, "0"), ".")
	}
	return clock
}

// structure is an object that has the meaning; another is as it is.
func (m *meaning) structure(object map[string]any) (any, error) {
	if m.name != "io.debezium.data.VariableScaleDecimal" {
		return object, nil
	}
	digits, ok := object["scale"].(json.Number)
	text, also := object["value"].(string)
	scale, err := strconv.Atoi(string(digits))
	if !ok || !also || err != nil {
		return nil, errors.New("is no decimal: it has no scale and value")
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("is no decimal: its value is not in base64")
	}
	return decimal(b, scale)
}

// date is a day counted from 1970.
func date(days int64) string {
	switch {
	case days >= math.MaxInt32:
		return "Infinity"
	case days <= math.MinInt32:
		return "-Infinity"
	}
	return time.Unix(days*86400, 0).UTC().Format(layoutDate)
}

// clock is a time of day, or a span that MySQL has for one, in parts of a second.
func clock(n, parts int64) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	if n < 0 {
		return strconv.FormatInt(n, 10)
	}
	seconds, fraction := n/parts, n%parts
	two := func(n int64) string {
		if n < 10 {
			return "0" + strconv.FormatInt(n, 10)
		}
		return strconv.FormatInt(n, 10)
	}
	text := sign + two(seconds/3600) + ":" + two(seconds/60%60) + ":" + two(seconds%60)
	if fraction == 0 {
		return text
	}
	return shortened(text + "." + strconv.FormatInt(parts+fraction, 10)[1:])
}

// moment is a time counted from 1970 in parts of a second, with as many digits.
func moment(n, parts int64, zone string) string {
	switch parts {
	case 1e3:
		return time.UnixMilli(n).UTC().Format(layoutMillis) + zone
	case 1e6:
		switch {
		case n >= infinityMicros:
			return "Infinity"
		case n <= negativeInfinityMicros:
			return "-Infinity"
		}
		return time.UnixMicro(n).UTC().Format(layoutMicros) + zone
	}
	return time.Unix(0, n).UTC().Format(layoutNanos) + zone
}

// decimal is a number with all its digits: b is its digits without the point as a
// number in two's complement, scale how many stand behind the point.
func decimal(b []byte, scale int) (json.Number, error) {
	if len(b) > maxUnscaled || scale > maxScale || scale < -maxScale {
		return "", errors.New("is a decimal of more digits than are read")
	}
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	if scale < 0 {
		if n.Sign() == 0 {
			return "0", nil
		}
		return json.Number(n.String() + strings.Repeat("0", -scale)), nil
	}
	sign := ""
	if n.Sign() < 0 {
		sign = "-"
		n.Neg(n)
	}
	digits := n.String()
	if scale == 0 {
		return json.Number(sign + digits), nil
	}
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - scale
	return json.Number(sign + digits[:point] + "." + digits[point:]), nil
}

// bits are the last length bits of b, whose first byte has the last eight.
func bits(b []byte, length int) string {
	text := make([]byte, length)
	for i := range length {
		text[length-1-i] = '0' + b[i/8]>>(i%8)&1
	}
	return string(text)
}

// float is the number as PostgreSQL writes it: with as few digits as tell it from
// its neighbours, and an exponent where it is far from 1.
func float(f float64, size int) any {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	most := 15
	if size == 32 {
		most = 6
	}
	text := strconv.FormatFloat(f, 'e', -1, size)
	exponent, _ := strconv.Atoi(text[strings.IndexByte(text, 'e')+1:]) // which it has
	if exponent < -4 || exponent >= most {
		return json.Number(text)
	}
	return json.Number(strconv.FormatFloat(f, 'f', -1, size))
}
