package config

import (
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Shorter texts are part of too many words to be cut out of a message, and
// secrets are longer.
const minSecret = 4

// secrets are the texts that came from the environment, from files, or into a
// Secret. They are cut out of what others say about a section, because a
// Validate method may well quote the URL that holds a password.
type secrets struct {
	mu sync.Mutex

	texts map[string]bool
}

func (s *secrets) add(text string) {
	text = strings.TrimSpace(text)
	if len(text) < minSecret {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.texts == nil {
		s.texts = map[string]bool{}
	}
	s.texts[text] = true
	quoted := strconv.Quote(text) // as %q shows it
	s.texts[quoted[1:len(quoted)-1]] = true
}

// redact replaces every known text, longest first, so that none leaves a rest, and
// the passwords of addresses, which nobody may know as secrets.
func (s *secrets) redact(message string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []string
	for text := range s.texts {
		if strings.Contains(message, text) {
			found = append(found, text)
		}
	}
	slices.SortFunc(found, func(a, b string) int { return len(b) - len(a) })
	for _, text := range found {
		message = strings.ReplaceAll(message, text, redacted)
	}
	return withoutPasswords(message)
}
