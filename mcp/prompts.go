package mcp

import (
	"context"
	"fmt"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// A Prompt is a beginning that a person may choose.
type Prompt struct {
	Name, Title, Description string
	Arguments                []*sdk.PromptArgument
	text                     func(args map[string]string) string
}

var prompts = []Prompt{
	{
		"change_template", "Change a template", "Edits a template's draft step by step, looks at it, checks it with rows, and publishes when you say so.",
		[]*sdk.PromptArgument{
			{Name: "template", Description: "its name", Required: true},
			{Name: "goal", Description: "what shall be different, as in: the price in red when it is reduced", Required: true},
		},
		func(a map[string]string) string {
			return fmt.Sprintf(`Change the template %q of pictifyd: %s

1. get_template, and render_preview of the draft as it is.
2. Plan the change in a few steps. For each, edit_template with the operations that do it (list_operations has them); use dry_run where you are not sure. Take the revision of the last answer for the next edit.
3. After each step render_preview, in every size that is touched, and look: is anything clipped, covered, too small, off the page? Mend it, or undo_edit.
4. check_template with the rows that the template is used for (binding:NAME, or samples), and mend what it finds.
5. forecast_publish. Tell me what changed and what publishing would draw, and ask. Only when I agree: publish_template.`, a["template"], a["goal"])
		},
	},
	{
		"explain_image", "Why does this image look as it does?", "Follows an image of a binding back to its row, its source and its template.",
		[]*sdk.PromptArgument{
			{Name: "binding", Description: "its name", Required: true},
			{Name: "key", Description: "the row's key, as in the image's address", Required: true},
		},
		func(a map[string]string) string {
			return fmt.Sprintf(`Find out why the image of the row %q of the binding %q of pictifyd looks as it does.

Use get_row for its values, what changed it last and who was told; get_binding for whether the binding is held, paused or failing; list_sources for how fresh its source is; render_preview with from binding:%s and the key to see it by the template as it is now, and by the version that drew it. Say in a few sentences what the image shows, why, and since when. Where something is wrong, name the cause and the next step; change nothing.`, a["key"], a["binding"], a["binding"])
		},
	},
	{
		"make_batch", "Make images of rows", "Checks rows against a template, starts a batch, and watches it.",
		[]*sdk.PromptArgument{
			{Name: "template", Description: "its name", Required: true},
			{Name: "rows", Description: "the rows, or where they are", Required: true},
		},
		func(a map[string]string) string {
			return fmt.Sprintf(`Make images with the template %q of pictifyd, of these rows: %s

1. get_template for its variables and sizes.
2. start_batch with dry_run. Tell me of rows that would fail, and mend only what is plainly a slip.
3. When the dry run is clean, or I say so, start_batch with an idempotency_key, and get_job with wait_seconds until it has ended.
4. Give me the addresses of the images, and the rows that failed with their reasons.`, a["template"], a["rows"])
		},
	},
}

// Prompts are all prompts.
func Prompts() []Prompt { return prompts }

func (s *Server) addPrompts() {
	for _, p := range prompts {
		s.server.AddPrompt(&sdk.Prompt{Name: p.Name, Title: p.Title, Description: p.Description, Arguments: p.Arguments},
			func(_ context.Context, req *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
				for _, a := range p.Arguments {
					if a.Required && req.Params.Arguments[a.Name] == "" {
						return nil, fmt.Errorf("the prompt %s wants %s: %s", p.Name, a.Name, a.Description)
					}
				}
				return &sdk.GetPromptResult{Description: p.Description, Messages: []*sdk.PromptMessage{
					{Role: "user", Content: &sdk.TextContent{Text: p.text(req.Params.Arguments)}},
				}}, nil
			})
	}
}
