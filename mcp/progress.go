package mcp

import (
	"context"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// A progress tells whoever waits for a call how far it is, where they want to know.
type progress struct {
	req   *sdk.CallToolRequest
	token any
	last  float64
}

func progressOf(req *sdk.CallToolRequest) *progress {
	return &progress{req: req, token: req.Params.GetProgressToken(), last: -1}
}

// tell says how much is done. The protocol has it only grow.
func (p *progress) tell(ctx context.Context, done, total float64, message string) {
	if p.token == nil || done <= p.last {
		return
	}
	p.last = done
	_ = p.req.Session.NotifyProgress(ctx, &sdk.ProgressNotificationParams{ // whoever has gone hears nothing
		ProgressToken: p.token, Progress: done, Total: total, Message: message,
	})
}
