package wire

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/model"
)

// Arguments are those of a call as an object, for a wire that takes no other: a
// text that is none stands in it as what it was.
func Arguments(raw json.RawMessage) json.RawMessage {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) == nil && object != nil {
		return raw
	}
	if strings.TrimSpace(string(raw)) == "" {
		return json.RawMessage("{}")
	}
	const most = 2000
	said := strings.ToValidUTF8(string(raw[:min(len(raw), most)]), "\uFFFD")
	wrapped, _ := json.Marshal(map[string]string{"malformed_arguments": said}) // a map of strings
	return wrapped
}

// IDs gives every call an id that is unique in its conversation. The zero value
// knows none; made ids have nine letters and digits, the only form that every
// server takes.
type IDs struct {
	taken map[string]bool
	next  int
}

// NewIDs knows the ids that a conversation has.
func NewIDs(messages []model.Message) *IDs {
	ids := &IDs{taken: map[string]bool{}}
	for _, m := range messages {
		for _, c := range m.Calls {
			ids.taken[c.ID] = true
			ids.next++
		}
	}
	return ids
}

// Unique is id itself, or one that is made where it is missing, taken, or of a
// length that no id has.
func (s *IDs) Unique(id string) string {
	const longest = 128
	for id == "" || s.taken[id] || len(id) > longest {
		s.next++
		id = fmt.Sprintf("c%08d", s.next)
	}
	s.taken[id] = true
	return id
}

// Estimate is what a conversation costs about, for an endpoint that does not say.
func Estimate(r model.Request, reply model.Reply) model.Usage {
	const bytesOfToken, tokensOfImage = 4, 1000
	in := len(r.System) + len(r.Format)
	images := 0
	for _, m := range r.Messages {
		in += len(m.Text) + size(m.Calls)
		images += len(m.Images)
	}
	for _, t := range r.Tools {
		in += len(t.Name) + len(t.Description) + len(t.Schema)
	}
	return model.Usage{
		In:  int64(in/bytesOfToken + images*tokensOfImage + 1),
		Out: int64((len(reply.Text)+size(reply.Calls))/bytesOfToken + 1),
	}
}

func size(calls []model.Call) int {
	n := 0
	for _, c := range calls {
		n += len(c.Name) + len(c.Arguments)
	}
	return n
}

// Tokens is a count that an endpoint gave, within what can be.
func Tokens(n int64) int64 { return min(max(n, 0), 1<<40) }

// Whole leaves out of a reply that was too long what it did not say to its end: a
// call without arguments that are an object. Nobody runs half a call.
func Whole(calls []model.Call) []model.Call {
	var whole []model.Call
	for _, c := range calls {
		var object map[string]json.RawMessage
		if json.Unmarshal(c.Arguments, &object) == nil && object != nil {
			whole = append(whole, c)
		}
	}
	return whole
}
