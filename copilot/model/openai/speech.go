package openai

import (
	"strings"

	"github.com/pictifyd/pictifyd/copilot/model/calltext"
)

// A speech tells the text of a reply as it comes. What may be a thought or a call
// it keeps back until the end, where it is known which it is.
type speech struct {
	said  func(string)
	calls bool // the text may have calls in it

	pending string // not told yet
	told    string
	kept    bool // from here on all is kept back
	begun   bool // the first words are known to be neither thought nor JSON
}

func newSpeech(said func(string), calls bool) *speech { return &speech{said: said, calls: calls} }

func (s *speech) hear(text string) {
	if s.said == nil || text == "" || s.kept {
		return
	}
	s.pending += text
	if !s.begun && !s.begin() {
		return
	}
	safe := len(s.pending)
	if s.calls {
		for _, mark := range calltext.Marks() {
			if at := strings.Index(s.pending, mark); at >= 0 {
				safe, s.kept = min(safe, at), true
				continue
			}
			safe = min(safe, len(s.pending)-started(s.pending, mark))
		}
	}
	s.tell(s.pending[:safe])
	s.pending = s.pending[safe:]
}

// begin reports whether the first words can be told; a thought before them is
// dropped when it has ended.
func (s *speech) begin() bool {
	text := strings.TrimLeft(s.pending, " \t\r\n")
	switch {
	case text == "":
		return false
	case text[0] == '<':
		if _, spoken := calltext.Reasoning(text); spoken != text {
			if spoken == "" {
				return false
			}
			s.pending = spoken
			return s.begin()
		}
		if !strings.Contains(text, ">") && len(text) < 12 {
			return false // a tag that has not ended yet
		}
	case s.calls && (text[0] == '{' || text[0] == '['):
		s.kept = true
		return false
	}
	s.begun = true
	return true
}

// started is how much of mark stands at the end of text.
func started(text, mark string) int {
	for n := min(len(mark)-1, len(text)); n > 0; n-- {
		if strings.HasSuffix(text, mark[:n]) {
			return n
		}
	}
	return 0
}

func (s *speech) tell(text string) {
	if text != "" {
		s.told += text
		s.said(text)
	}
}

// end tells what of the reply's text was kept back.
func (s *speech) end(text string) {
	if s.said == nil {
		return
	}
	if rest, ok := strings.CutPrefix(text, s.told); ok {
		s.tell(rest)
	}
}
