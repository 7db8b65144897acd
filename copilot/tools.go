package copilot

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// system is what every model is told of its work.
//
//go:embed prompts/system.md
var system string

//go:embed prompts/tools.json
var toolsJSON []byte

// promptHash says with which of them a run was made.
var promptHash = func() string {
	sum := sha256.Sum256(append([]byte(system), toolsJSON...))
	return hex.EncodeToString(sum[:])
}()

// A Tool is what a model may call.
type Tool struct {
	model.Tool

	Kind   string // read, look, plan, edit or high
	schema *jsonschema.Resolved
}

var toolbox, tools = readTools()

func readTools() (map[string]Tool, []model.Tool) {
	var entries []struct {
		Name, Kind, Description string
		Schema                  json.RawMessage
	}
	if err := json.Unmarshal(toolsJSON, &entries); err != nil {
		panic(fmt.Sprintf("prompts/tools.json: %v", err)) // a file of ours
	}
	box := map[string]Tool{}
	var all []model.Tool
	for _, e := range entries {
		var schema jsonschema.Schema
		if err := json.Unmarshal(e.Schema, &schema); err != nil {
			panic(fmt.Sprintf("prompts/tools.json: %s: %v", e.Name, err))
		}
		resolved, err := schema.Resolve(nil)
		if err != nil {
			panic(fmt.Sprintf("prompts/tools.json: %s: %v", e.Name, err))
		}
		t := model.Tool{Name: e.Name, Description: e.Description, Schema: e.Schema}
		box[e.Name] = Tool{t, e.Kind, resolved}
		all = append(all, t)
	}
	return box, all
}

// Tools are what a model may call, in the order in which one would explain them.
func Tools() []Tool {
	all := make([]Tool, len(tools))
	for i, t := range tools {
		all[i] = toolbox[t.Name]
	}
	return all
}

// doing are the tools by their names. A result is told to the model as JSON; what is
// wrong with a call is a problem that the model can mend.
var doing = map[string]func(*flight, context.Context, json.RawMessage) (any, error){
	"get_outline": plain((*flight).getOutline), "get_layer": plain((*flight).getLayer), "list_vars": plain((*flight).listVars),
	"get_rows": plain((*flight).getRows), "list_fonts": with((*flight).listFonts), "list_assets": plain((*flight).listAssets),
	"render_preview": with((*flight).renderPreview), "check": with((*flight).checkNow),
	"set_plan": with((*flight).setPlan), "finish_step": with((*flight).endStep), "finish": with((*flight).finish), "ask_user": with((*flight).askUser),
	"set_text": plain((*flight).setText), "set_style": plain((*flight).setStyle), "set_box": plain((*flight).setBox),
	"set_attr": plain((*flight).setAttr), "set_hidden": plain((*flight).setHidden), "bind": plain((*flight).bind),
	"add_layer": plain((*flight).addLayer), "duplicate_layer": plain((*flight).duplicateLayer), "remove_layer": plain((*flight).removeLayer),
	"move_layer": plain((*flight).moveLayer), "group": plain((*flight).group), "ungroup": plain((*flight).ungroup),
	"align": with((*flight).align), "distribute": with((*flight).distribute), "set_token": plain((*flight).setToken),
	"tokenize_colors": plain((*flight).tokenizeColors), "derive_dark_theme": with((*flight).deriveDarkTheme),
	"add_size": with((*flight).addSize), "relayout": with((*flight).relayout),
	"generate_backgrounds": with((*flight).generateBackgrounds), "pick_background": with((*flight).pickBackground),
	"create_variant": with((*flight).createVariant),
}

// with is a tool of arguments of one type.
func with[A any](do func(*flight, context.Context, A) (any, error)) func(*flight, context.Context, json.RawMessage) (any, error) {
	return func(f *flight, ctx context.Context, raw json.RawMessage) (any, error) {
		var args A
		if err := json.Unmarshal(raw, &args); err != nil {
			return nil, problem.New(problem.Invalid, "the arguments cannot be read: %w", err).At("arguments")
		}
		return do(f, ctx, args)
	}
}

// plain is with, of a tool that waits for nothing.
func plain[A any](do func(*flight, A) (any, error)) func(*flight, context.Context, json.RawMessage) (any, error) {
	return with(func(f *flight, _ context.Context, args A) (any, error) { return do(f, args) })
}

// none is the arguments of a tool that has none.
type none struct{}

// maxArguments bounds the arguments of one call, in bytes.
const maxArguments = 64 << 10

// call does one call of the model.
func (f *flight) call(ctx context.Context, c model.Call) (any, error) {
	tool, ok := toolbox[c.Name]
	if !ok {
		return nil, problem.New(problem.NotFound, "there is no tool %q", bounded(c.Name, 80)).WithSlug("unknown_tool").WithHint("there are: %s", strings.Join(toolNames(), ", "))
	}
	args := c.Arguments
	if len(strings.TrimSpace(string(args))) == 0 {
		args = json.RawMessage("{}")
	}
	if len(args) > maxArguments {
		return nil, problem.New(problem.TooLarge, "the arguments have %d bytes, and may have %d", len(args), maxArguments).At("arguments")
	}
	var value map[string]any
	if err := json.Unmarshal(args, &value); err != nil {
		return nil, problem.New(problem.Invalid, "the arguments are not a JSON object: %w", err).At("arguments").WithHint("the schema of %s is %s", c.Name, tool.Tool.Schema)
	}
	if err := tool.schema.Validate(value); err != nil {
		return nil, problem.New(problem.Invalid, "the arguments of %s are not as its schema has them: %w", c.Name, err).At("arguments").WithHint("the schema is %s", tool.Tool.Schema)
	}
	if len(f.run.Plan) == 0 && (tool.Kind == "edit" || tool.Kind == "high" || c.Name == "finish_step") {
		return nil, problem.New(problem.Conflict, "there is no plan yet").WithHint("call set_plan first: the person sees it")
	}
	return doing[c.Name](f, ctx, args)
}

func toolNames() []string {
	names := make([]string, len(tools))
	for i, t := range tools {
		names[i] = t.Name
	}
	return names
}
