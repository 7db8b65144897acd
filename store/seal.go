package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// sealFile stands beside a SQLite ledger, so that a copy of the ledger alone
// gives no secret away.
const sealFile = "seal.key"

// SealKey is what secrets in the ledger are sealed with: the configured text, or
// one that is made the first time and kept beside a SQLite ledger. With a server
// as ledger it must be configured, since every machine needs the same.
func SealKey(cfg Config, dir string) (string, error) {
	if !cfg.SealKey.IsZero() {
		return cfg.SealKey.Reveal(), nil
	}
	if cfg.postgres() {
		return "", problem.New(problem.Invalid, "no secret can be kept, because there is no key to seal it with").WithSlug("no_seal_key").
			WithHint(`set store.seal_key: "${PICTIFYD_SEAL_KEY}", or name a secret of the configuration as secret://NAME`)
	}
	path := filepath.Join(filepath.Dir(cfg.file(dir)), sealFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeSealKey(path)
	}
	if key := strings.TrimSpace(string(text)); err == nil && len(key) >= minSealKey {
		return key, nil
	}
	return "", problem.New(problem.Surroundings, "the key that seals secrets cannot be read from %s: %w", path, err).
		WithHint("bring the file back, or remove it and give every secret again")
}

// PreviousSealKeys are the keys that may have sealed what SealKey did not: the
// configured one, and the one beside a SQLite ledger where another is configured by now.
func PreviousSealKeys(cfg Config, dir string) (keys []string, err error) {
	if key := cfg.PreviousSealKey.Reveal(); key != "" {
		keys = append(keys, key)
	}
	if cfg.SealKey.IsZero() || cfg.postgres() {
		return keys, nil
	}
	path := filepath.Join(filepath.Dir(cfg.file(dir)), sealFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return keys, nil
	}
	if err != nil {
		return nil, problem.New(problem.Surroundings, "the key that sealed secrets before store.seal_key cannot be read from %s: %w", path, err).
			WithHint("let this user read it, or remove it where nothing is sealed with it any more")
	}
	return append(keys, strings.TrimSpace(string(text))), nil
}

// CanSeal reports whether there is a key to seal secrets with, or one is made.
func (c Config) CanSeal() bool { return !c.SealKey.IsZero() || !c.postgres() }

// makeSealKey writes a new key, whole or not at all: the folder is locked, so
// that nobody else does.
func makeSealKey(path string) (string, error) {
	key := rand.Text() + rand.Text()
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return "", fmt.Errorf("keep the key that seals secrets: %w", err)
	}
	_, err = f.WriteString(key + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(path+".new", path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		return "", fmt.Errorf("keep the key that seals secrets: %w", err)
	}
	return key, nil
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

const minSealKey = 16

// SealFile is the path of the file that has the key of a SQLite ledger; "" where
// there is none.
func SealFile(cfg Config, dir string) (string, error) {
	path := filepath.Join(filepath.Dir(cfg.file(dir)), sealFile)
	switch _, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", problem.New(problem.Surroundings, "the key that seals secrets cannot be found: %w", err).WithHint("let this user read %s", path)
	}
	return path, nil
}
