package main

import (
	"io"
	"os"
	"regexp"
)

// onTerminal reports whether out is a terminal.
func onTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// coloured reports whether out is a terminal that wants colours.
func coloured(out io.Writer) bool {
	return onTerminal(out) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// A painter colours the words for states, the first of each line, in what is
// aligned already: colours would count as letters.
type painter struct {
	out    io.Writer
	colour bool
}

var (
	colours = map[string]string{
		"ok": "32", "ready": "32", "delivered": "32", "warn": "33", "waiting": "33", "error": "31", "failed": "31", "dead": "31", "paused": "36",
		"well": "32", "claimed": "33", "failing": "33", "resting": "33", "disabled": "31", "superseded": "90", "discarded": "90",
		"late": "33", "gone": "90",
	}
	stateWord = regexp.MustCompile(`(?m)^(\S+(?: \S+)* {2,})(ok|ready|delivered|warn|waiting|error|failed|dead|paused|well|claimed|failing|resting|disabled|superseded|discarded|late|gone)\b`)
)

// Write implements io.Writer. A line comes whole.
func (p painter) Write(text []byte) (int, error) {
	painted := text
	if p.colour {
		painted = stateWord.ReplaceAllFunc(text, func(match []byte) []byte {
			parts := stateWord.FindSubmatch(match)
			word := string(parts[2])
			return append(append([]byte{}, parts[1]...), "\x1b["+colours[word]+"m"+word+"\x1b[0m"...)
		})
	}
	if _, err := p.out.Write(painted); err != nil {
		return 0, err
	}
	return len(text), nil
}
