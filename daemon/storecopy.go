package daemon

import (
	"context"

	"github.com/pictifyd/pictifyd/store"
)

// A CopiedTable is a table that was copied.
type CopiedTable = store.Copied

// A CopyReport says what a copy of a ledger came to.
type CopyReport struct {
	Tables []CopiedTable `json:"tables"`
	Rows   int64         `json:"rows"`
	// SealFile has the key of the secrets in the ledger, which the new one needs as
	// store.seal_key; "" where the configuration has it, or there are none.
	SealFile string `json:"sealFile,omitempty"`
}

// CopyStore copies the ledger of a configuration to an empty PostgreSQL database. tell
// hears of each table.
func CopyStore(ctx context.Context, path, to string, tell func(CopiedTable)) (CopyReport, error) {
	settings, err := Load(path)
	if err != nil {
		return CopyReport{}, err
	}
	var r CopyReport
	r.Tables, err = store.Copy(ctx, settings.Store, store.Config{URL: to, SealKey: settings.Store.SealKey}, store.Options{Dir: settings.Dir}, tell)
	if err != nil {
		return r, err
	}
	for _, t := range r.Tables {
		r.Rows += t.Rows
	}
	if settings.Store.SealKey.IsZero() {
		r.SealFile, err = store.SealFile(settings.Store, settings.Dir)
	}
	return r, err
}

// MigrateStore brings the ledger of a configuration to the newest version, and ends.
func MigrateStore(ctx context.Context, path string) error {
	settings, err := Load(path)
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, settings.Store, store.Options{Dir: settings.Dir})
	if err != nil {
		return err
	}
	return s.Close()
}
