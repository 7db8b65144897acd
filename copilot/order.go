package copilot

import (
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// An Order asks for a run.
type Order struct {
	Template string
	Message  string
	Author   string // who asks
	Model    string // "" is the default one
	Size     string // that the person looks at; "" is the first
	Theme    string
	Layers   []string // that are selected
	Budget   Budget   // 0 is the configuration's, and so is more
	From     string   // where the rows for the checks come from; "" is the best that there is
}

// maxMessage bounds what a person may say to the copilot, in bytes.
const maxMessage = 8 << 10

func (o Order) validate() error {
	switch message := strings.TrimSpace(o.Message); {
	case message == "":
		return problem.New(problem.Invalid, "there is no message").WithSlug("required").At("message").WithHint(`say what should change, as in "Make a dark-mode variant"`)
	case len(message) > maxMessage:
		return problem.New(problem.TooLarge, "the message has %d bytes, and may have %d", len(message), maxMessage).At("message").WithHint("say it in fewer words")
	}
	return nil
}

// within is b with what it leaves open, and what it has too much of, from most.
func (b Budget) within(most Budget) Budget {
	return Budget{
		Steps: least(b.Steps, most.Steps), Calls: least(b.Calls, most.Calls), Tokens: least(b.Tokens, most.Tokens),
		Seconds: least(b.Seconds, most.Seconds), Images: least(b.Images, most.Images),
	}
}

func least[T int | int64](asked, most T) T {
	if asked <= 0 || asked > most {
		return most
	}
	return asked
}
