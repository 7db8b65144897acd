package config_test

import (
	"encoding"
	"encoding/json"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/config"
)

func TestDurationsAreRead(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "5m": 5 * time.Minute, "24h": 24 * time.Hour, "30d": 720 * time.Hour, "1d12h": 36 * time.Hour,
		"1.5h": 90 * time.Minute, "0": 0, "0s": 0, "0d": 0, "106751d": 106751 * 24 * time.Hour, "1ns": 1,
	} {
		if got, err := config.ParseDuration(text); err != nil || got.Std() != want {
			t.Errorf("duration %q: got %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "30", "1.5", "-5m", "+5m", "-0s", "5 m", "d", "1.5d", "-1d", "1d-1h", "1d1", "1d ", "12h1d", "106752d", "106751d24h", "9999999d", "one", "9223372036855s",
	} {
		if got, err := config.ParseDuration(text); err == nil {
			t.Errorf("duration %q: got %v, want a problem", text, got)
		}
	}
}

func TestDurationsPrintAsTheyAreWritten(t *testing.T) {
	for _, text := range []string{"0s", "30s", "5m", "1h30m", "1h0m1s", "36h", "1d", "30d", "1ms", "10m", "20h"} {
		d, err := config.ParseDuration(text)
		if err != nil || d.String() != text {
			t.Errorf("duration %q: got %q, %v", text, d, err)
		}
	}
}

func TestBytesAreRead(t *testing.T) {
	for text, want := range map[string]config.Bytes{
		"0": 0, "1": 1, "1B": 1, "2GB": 2e9, "512MiB": 512 << 20, "1.5KiB": 1536, "10 kb": 1e4, "3TiB": 3 << 40, "0.5B": 0,
		"9223372036854775807": 1<<63 - 1,
	} {
		if got, err := config.ParseBytes(text); err != nil || got != want {
			t.Errorf("bytes %q: got %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "+1", "GB", "2 gigs", "1e3", "1..5GB", "9223372036854775808", "9000000TiB", "1  GB", "1GB "} {
		if got, err := config.ParseBytes(text); err == nil {
			t.Errorf("bytes %q: got %d, want a problem", text, got)
		}
	}
}

func TestSharesAreRead(t *testing.T) {
	for text, want := range map[string]config.Percent{"0": 0, "0%": 0, "50%": 0.5, "0.5": 0.5, "12.5%": 0.125, "1": 1, "1.0": 1, "100%": 1} {
		if got, err := config.ParsePercent(text); err != nil || got != want {
			t.Errorf("share %q: got %v, %v; want %v", text, float64(got), err, float64(want))
		}
	}
	for _, text := range []string{"", "%", "50", "1.01", "100.1%", "-1%", "+1%", "1e-1", "NaN", "inf", "0x1p-2", "50 %", ".5", "5_0%"} {
		if got, err := config.ParsePercent(text); err == nil {
			t.Errorf("share %q: got %v, want a problem", text, got)
		}
	}
}

func TestScalarsSurviveJSON(t *testing.T) {
	type all struct {
		D config.Duration
		B config.Bytes
		P config.Percent
	}
	want := all{config.Duration(36 * time.Hour), 512 << 20, 0.125}
	text, err := json.Marshal(want)
	if err != nil || string(text) != `{"D":"36h","B":"512MiB","P":"12.5%"}` {
		t.Fatalf("got %s, %v", text, err)
	}
	var got all
	if err := json.Unmarshal(text, &got); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func FuzzScalars(f *testing.F) {
	for _, text := range []string{"30s", "5m", "30d", "1d12h", "1.5h", "2GB", "512MiB", "1.5KiB", "50%", "0.5", "12.5%"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		roundTrip[config.Duration](t, text)
		roundTrip[config.Bytes](t, text)
		if p, err := config.ParsePercent(text); err == nil && (p < 0 || p > 1) {
			t.Errorf("share %q is %v", text, float64(p))
		}
	})
}

// roundTrip checks that what was read prints as a text that reads the same, and is not negative.
func roundTrip[T interface {
	~int64
	encoding.TextMarshaler
}, P interface {
	*T
	encoding.TextUnmarshaler
}](t *testing.T, text string) {
	t.Helper()
	var first, second T
	if P(&first).UnmarshalText([]byte(text)) != nil {
		return
	}
	printed, err := first.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	if err := P(&second).UnmarshalText(printed); err != nil || first != second || first < 0 {
		t.Errorf("%q reads as %d and prints as %q, which reads as %d, %v", text, first, printed, second, err)
	}
}
