package bindings

import (
	"fmt"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// Refused is the proposal of a row that can have no picture.
func Refused(owner Owner, key string, p Problem) Proposal {
	h := newHash("pictifyd/proposal/1")
	h.text("problem")
	h.text(p.Code)
	h.text(p.Field)
	h.text(p.Message)
	return Proposal{Owner: owner, Key: key, Problem: &p, Digest: h.sum()}
}

// removal is the proposal of a row that shall have no image.
func removal(owner Owner, key string) Proposal {
	h := newHash("pictifyd/proposal/1")
	h.text("remove")
	return Proposal{Owner: owner, Key: key, Remove: true, Digest: h.sum()}
}

// wanting is the proposal of a row that shall have these pictures. Its digest
// says nothing of the owner, the versions or the sizes: whoever wants the same
// pictures under the same names wants the same.
func wanting(owner Owner, key string, wants []Want) Proposal {
	h := newHash("pictifyd/proposal/1")
	h.text("wants")
	for _, w := range wants {
		h.text(w.Output)
		h.text(w.Fingerprint)
	}
	return Proposal{Owner: owner, Key: key, Wants: wants, Digest: h.sum()}
}

// alsoShown is how many further problems a row's problem names.
const alsoShown = 5

// rowProblem is err, which the row is at fault for, as one problem: the first in
// full, the places of the others.
func rowProblem(err error) Problem {
	all := problem.All(err)
	p := Problem{Code: all[0].Kind(), Field: all[0].Path, Message: all[0].Message}
	if all[0].Hint != "" {
		p.Message += " (" + all[0].Hint + ")"
	}
	var also []string
	for _, other := range all[1:] {
		if len(also) == alsoShown {
			also = append(also, fmt.Sprintf("%d more", len(all)-1-alsoShown))
			break
		}
		place := other.Path
		if place == "" {
			place = other.Message
		}
		also = append(also, place)
	}
	if len(also) > 0 {
		p.Message += "; also " + strings.Join(also, ", ")
	}
	return p
}
