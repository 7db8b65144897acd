package anthropic

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/packages/param"

	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/copilot/model/wire"
)

// Notes where a picture cannot stand.
const (
	oldPicture = "[an older picture stood here; the newest ones are below]"
	noPicture  = "[a picture stood here, which you cannot see]"
)

func (p *Provider) params(r model.Request) anthropic.MessageNewParams {
	can := p.config.Capabilities
	params := anthropic.MessageNewParams{Model: p.config.Model, MaxTokens: defaultTokens, Messages: messages(r, can)}
	if r.MaxTokens > 0 {
		params.MaxTokens = int64(r.MaxTokens)
	}
	for _, t := range r.Tools {
		tool := anthropic.ToolParam{Name: t.Name, InputSchema: schema(t.Schema)}
		if t.Description != "" {
			tool.Description = anthropic.String(t.Description)
		}
		params.Tools = append(params.Tools, anthropic.ToolUnionParam{OfTool: &tool})
	}
	if r.MustCall && can.ForcedTool && len(r.Tools) > 0 {
		params.ToolChoice = anthropic.ToolChoiceUnionParam{OfAny: &anthropic.ToolChoiceAnyParam{}}
	}
	// One mark caches all before it: the tools stand before the system prompt.
	cached := anthropic.NewCacheControlEphemeralParam()
	switch n := len(params.Tools); {
	case strings.TrimSpace(r.System) != "":
		params.System = []anthropic.TextBlockParam{{Text: r.System, CacheControl: cached}}
	case n > 0:
		params.Tools[n-1].OfTool.CacheControl = cached
	}
	return params
}

func schema(raw json.RawMessage) anthropic.ToolInputSchemaParam {
	if len(raw) == 0 {
		return anthropic.ToolInputSchemaParam{}
	}
	return param.Override[anthropic.ToolInputSchemaParam](raw)
}

// messages are the conversation as the wire has it: roles alternate, results
// stand first in what the user says, and no text is empty.
func messages(r model.Request, can model.Capabilities) []anthropic.MessageParam {
	said := r.Messages
	switch {
	case !can.Vision:
		said = model.KeepNewest(said, 0, noPicture)
	case can.MaxImages > 0:
		said = model.KeepNewest(said, can.MaxImages, oldPicture)
	}
	var out []anthropic.MessageParam
	var results, user []anthropic.ContentBlockParamUnion // not sent yet
	flush := func() {
		if all := slices.Concat(results, user); len(all) > 0 {
			out = append(out, anthropic.NewUserMessage(all...))
		}
		results, user = nil, nil
	}
	for _, m := range said {
		switch m.Role {
		case model.User:
			user = append(user, blocks(m.Text, m.Images)...)
		case model.ToolRole:
			block, behind := result(m, can.ImagesInToolResult)
			results, user = append(results, block), append(user, behind...)
		default:
			own := blocks(m.Text, nil)
			for _, c := range m.Calls {
				own = append(own, anthropic.NewToolUseBlock(c.ID, wire.Arguments(c.Arguments), c.Name))
			}
			if len(own) == 0 {
				continue // the user goes on speaking
			}
			flush()
			if n := len(out); n > 0 && out[n-1].Role == anthropic.MessageParamRoleAssistant {
				out[n-1].Content = append(out[n-1].Content, own...)
				continue
			}
			out = append(out, anthropic.NewAssistantMessage(own...))
		}
	}
	flush()
	return out
}

func blocks(text string, images []model.Image) []anthropic.ContentBlockParamUnion {
	var out []anthropic.ContentBlockParamUnion
	if strings.TrimSpace(text) != "" {
		out = append(out, anthropic.NewTextBlock(text))
	}
	for _, i := range images {
		out = append(out, anthropic.NewImageBlockBase64(i.MediaType, base64.StdEncoding.EncodeToString(i.Bytes)))
	}
	return out
}

// result is that of a call, and what comes behind all results: its pictures,
// where they may not stand in it.
func result(m model.Message, images bool) (block anthropic.ContentBlockParamUnion, behind []anthropic.ContentBlockParamUnion) {
	r := anthropic.ToolResultBlockParam{ToolUseID: m.CallID}
	if m.Failed {
		r.IsError = anthropic.Bool(true)
	}
	inside := blocks(m.Text, nil)
	if images {
		inside = blocks(m.Text, m.Images)
	} else if len(m.Images) > 0 {
		behind = blocks("The picture of the result of call "+m.CallID+":", m.Images)
	}
	for _, b := range inside {
		r.Content = append(r.Content, anthropic.ToolResultBlockParamContentUnion{OfText: b.OfText, OfImage: b.OfImage})
	}
	return anthropic.ContentBlockParamUnion{OfToolResult: &r}, behind
}
