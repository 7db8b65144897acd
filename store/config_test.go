package store

import "testing"

func TestAddressOfTheStore(t *testing.T) {
	for url, good := range map[string]bool{
		"sqlite:data/pictifyd.db":                   true,
		"sqlite:/var/lib/pictifyd/ledger.db":        true,
		"postgres://pictifyd@db.example.com/images": true,
		"postgresql://localhost/images":             true,
		"":                                          false,
		"sqlite:":                                   false,
		"sqlite::memory:":                           false,
		"data/pictifyd.db":                          false,
		"mysql://localhost/images":                  false,
		"postgres://host:port/images":               false,
	} {
		if err := (Config{URL: url}).Validate(); (err == nil) != good {
			t.Errorf("%q gave %v", url, err)
		}
	}
}

func TestRelativeAddressIsSeenFromTheFolder(t *testing.T) {
	for url, want := range map[string]string{
		"sqlite:data/p.db":  "/etc/pictifyd/data/p.db",
		"sqlite:/data/p.db": "/data/p.db",
	} {
		if got := (Config{URL: url}).file("/etc/pictifyd"); got != want {
			t.Errorf("%q is %q, want %q", url, got, want)
		}
	}
}
