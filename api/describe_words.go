package api

import (
	_ "embed" // the comments
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/copilot"
	"github.com/pictifyd/pictifyd/copilot/model"
	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/openapi"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
	editing "github.com/pictifyd/pictifyd/template/edit"
	"github.com/pictifyd/pictifyd/template/sample"
)

// The chapters of the reference, in the order in which they are read.
const (
	tagBatches       = "Batches"
	tagJobs          = "Jobs"
	tagNow           = "Now"
	tagImages        = "Images"
	tagTemplates     = "Templates"
	tagDrafts        = "Drafts and versions"
	tagCopilot       = "Copilot"
	tagExpressions   = "Expressions"
	tagBindings      = "Bindings"
	tagConnections   = "Sources and sinks"
	tagDeliveries    = "Deliveries"
	tagSubscriptions = "Webhook subscriptions"
	tagExperiments   = "Experiments"
	tagDeletions     = "Deletion"
	tagKeys          = "Keys"
	tagServer        = "Server"
)

var tags = []openapi.Tag{
	{Name: tagBatches, Description: "One template, many rows, one webhook."},
	{Name: tagJobs, Description: "A batch that was accepted is a job: what has become of it, and of its rows."},
	{Name: tagNow, Description: "Pictures that are made while you wait, or when their address is asked for."},
	{Name: tagImages, Description: "The bytes."},
	{Name: tagTemplates, Description: "HTML files with variables, each with its versions."},
	{Name: tagDrafts, Description: "What a template will be next, and what it was before."},
	{Name: tagCopilot, Description: "A model that changes drafts step by step, and people who accept, reject and undo its steps."},
	{Name: tagExpressions, Description: "The language between `{{` and `}}`."},
	{Name: tagBindings, Description: "Rows of a source, each with its image."},
	{Name: tagConnections, Description: "Where rows come from, and who is told of images."},
	{Name: tagDeliveries, Description: "What sinks were told, what they answered, and what they could not be told."},
	{Name: tagSubscriptions, Description: "Webhooks that hear of events, of all bindings and batches or of some."},
	{Name: tagExperiments, Description: "Variants of an image, who was shown which, what they did, and which is better."},
	{Name: tagDeletions, Description: "What is kept of jobs, rows and people, and how it goes."},
	{Name: tagKeys, Description: "Who may call, what, and how often."},
	{Name: tagServer, Description: "How the daemon is."},
}

// pathWords say what the variables of paths are.
var pathWords = map[string]string{
	"docs/{page}":                "The name of the page, as `copilot.md`.",
	"templates/{id}":             "The name of the template.",
	"jobs/{id}":                  "The id of the job, as `jobId` of its acceptance.",
	"deliveries/{id}":            "The id of the delivery, which its receiver has as well.",
	"webhook-subscriptions/{id}": "The id of the subscription.",
	"keys/{id}":                  "The id or the name of the key.",
	"sources/{name}":             "The name of the source.",
	"{path}":                     "The `path` of the source.",
	"sinks/{name}":               "The name of the sink.",
	"{number}":                   "The number of a version.",
	"bindings/{name}":            "The name of the binding.",
	"b/{binding}":                "The name of the binding.",
	"{key}":                      "The row's key: its columns, percent-encoded (also `/`, `,` and `.`), joined by a comma.",
	"{binding}/{file}":           "The row's key as in results (percent-encoded, also `/`, `,` and `.`), a dot, and the extension of an output.",
	"{key}/{file}":               "The name of the output, a dot, and its extension.",
	"i/{file}":                   "The name of the template, a dot, and the extension of the format.",
	"images/{file}":              "The hash of the bytes, a dot, and their extension: `url` of a result ends so.",
	"{slug}":                     "The word in `code`.",
	"s/{file}":                   "The slug of the experiment, a dot, and the extension of an image.",
	"s/{experiment}":             "The slug of the experiment.",
	"{experiment}/{file}":        "The unit, percent-encoded (also `/`), a dot, and the extension of an image.",
	"{experiment}/{unit}":        "The unit, percent-encoded.",
	"experiments/{id}":           "The id or the slug of the experiment.",
	"runs/{id}":                  "The id of the run.",
	"{n}":                        "The number of the step, from 1.",
	"pictures/{name}":            "The name of the picture, as steps, candidates and events have it.",
	"candidates/{name}":          "The name of the candidate.",
	"units/{unit}":               "Whoever is shown the image, percent-encoded.",
}

// sharedParams are the headers that several routes read.
var sharedParams = map[string]openapi.Parameter{
	"IdempotencyKey": {
		Name: "Idempotency-Key", In: "header", Schema: &jsonschema.Schema{Type: "string", MaxLength: ptr(maxIdempotencyKey)},
		Description: "A word of your own for this request. The same word with the same body is answered as the first time, and nothing is done again; with another body it is a 409.",
	},
	"IfMatch": {
		Name: "If-Match", In: "header", Schema: &jsonschema.Schema{Type: "string"},
		Description: "The `ETag` of what you saw. A 412 says that it has changed since, a 428 that the header is missing.",
	},
	"IfNoneMatch": {
		Name: "If-None-Match", In: "header", Schema: &jsonschema.Schema{Type: "string"},
		Description: "`*`: only where there is nothing yet.",
	},
	"IfNoneMatchETag": {
		Name: "If-None-Match", In: "header", Schema: &jsonschema.Schema{Type: "string"},
		Description: "The `ETag` that you have. A 304 says that it is still the newest.",
	},
	"Range": {
		Name: "Range", In: "header", Schema: &jsonschema.Schema{Type: "string"},
		Description: "A part of the bytes.",
	},
}

func ptr[T any](v T) *T { return &v }

// componentNames are the names of types whose own would say too little, or that
// are two of one name.
var componentNames = map[reflect.Type]string{
	reflect.TypeFor[document]():         "Problem",
	reflect.TypeFor[fieldError]():       "ProblemField",
	reflect.TypeFor[batch.Accepted]():   "BatchAccepted",
	reflect.TypeFor[batch.View]():       "JobWithResults",
	reflect.TypeFor[historyView]():      "RowHistory",
	reflect.TypeFor[deliveryView]():     "Delivery",
	reflect.TypeFor[deliveryDetail]():   "DeliveryDetail",
	reflect.TypeFor[deliveryEcho]():     "ReceiverAnswer",
	reflect.TypeFor[tryView]():          "DeliveryAttempt",
	reflect.TypeFor[flowView]():         "SinkState",
	reflect.TypeFor[replayedView]():     "LettersReplayed",
	reflect.TypeFor[discardedView]():    "LettersDiscarded",
	reflect.TypeFor[rowImageView]():     "RowImage",
	reflect.TypeFor[bindings.Problem](): "RowProblem",
	reflect.TypeFor[jobPage]():          "JobPage",
	reflect.TypeFor[template.Var]():     "Variable",
	reflect.TypeFor[draft.Changes]():    "NameChanges",
	reflect.TypeFor[template.Binding](): "ExpressionPlace",
	reflect.TypeFor[template.Shown]():   "ShownValue",
	reflect.TypeFor[template.Wrong]():   "ShownError",
	reflect.TypeFor[template.Redrawn](): "RedrawnElement",
	reflect.TypeFor[editing.Seen]():     "DraftNode",
	reflect.TypeFor[canvasView]():       "DraftView",
	reflect.TypeFor[treeView]():         "DraftTree",
	reflect.TypeFor[editedView]():       "StepShown",
	reflect.TypeFor[expr.Param]():       "FunctionParameter",
	reflect.TypeFor[expr.Example]():     "FunctionExample",
	reflect.TypeFor[validAnswer]():      "ExpressionValidity",
	reflect.TypeFor[testAnswer]():       "ExpressionResult",
	reflect.TypeFor[doneView]():         "StepDone",
	reflect.TypeFor[templatePush]():     "TemplateDocument",
	reflect.TypeFor[render.Box]():       "ElementBox",
	reflect.TypeFor[render.Line]():      "TextLine",
	reflect.TypeFor[sample.Case]():      "StressCase",
	reflect.TypeFor[sample.Match]():     "ColumnMatch",
	reflect.TypeFor[layerView]():        "LayerReport",

	reflect.TypeFor[bindings.Experiment]():   "RowsExperiment",
	reflect.TypeFor[experiment.Variant]():    "VariantOrder",
	reflect.TypeFor[experiment.Goal]():       "ExperimentGoal",
	reflect.TypeFor[experiment.Bandit]():     "ExperimentBandit",
	reflect.TypeFor[experiment.Output]():     "ExperimentOutput",
	reflect.TypeFor[experiment.Condition]():  "VariantCondition",
	reflect.TypeFor[experiment.Schedule]():   "VariantSchedule",
	reflect.TypeFor[experiment.Recurrence](): "VariantRecurrence",
	reflect.TypeFor[endRequest]():            "ExperimentEnd",
	reflect.TypeFor[rolloutRequest]():        "ExperimentRollout",
	reflect.TypeFor[allocationView]():        "ExperimentAllocation",
	reflect.TypeFor[segmentView]():           "ExperimentSegment",
	reflect.TypeFor[seriesPoint]():           "ExperimentDay",
	reflect.TypeFor[decisionView]():          "ExperimentDecision",
	reflect.TypeFor[excludedView]():          "ExperimentExcluded",
	reflect.TypeFor[srmView]():               "SampleRatio",
	reflect.TypeFor[model.Usage]():           "CopilotTokens",
}

// componentName is what the document calls a type: bindingView is Binding.
func componentName(t reflect.Type) string {
	if name, ok := componentNames[t]; ok {
		return name
	}
	if t.PkgPath() == reflect.TypeFor[copilot.Run]().PkgPath() { // a run or a step of others is another thing
		return "Copilot" + t.Name()
	}
	name := strings.TrimSuffix(t.Name(), "View")
	first, rest := name[:1], name[1:]
	return strings.ToUpper(first) + rest
}

//go:embed describe_comments.json
var commentData []byte

// comments are the comments of Go types in the document and of their fields, by
// type and field: "batch.View" and "batch.View.Progress". go test -update
// writes them anew.
func comments() (map[string]string, error) {
	all := map[string]string{}
	return all, json.Unmarshal(commentData, &all)
}

// commentKey is a type in the file of comments.
func commentKey(t reflect.Type, field string) string {
	key := t.String()
	if field != "" {
		key += "." + field
	}
	return key
}

// sentence is a comment as it stands in the document. The first words of a
// type's are its Go name, which is not that of its component.
func sentence(comment string, t reflect.Type, field string) string {
	if field == "" && t.Name() != "" {
		comment = strings.Replace(comment, t.Name(), componentNameOf(t), 1)
	}
	letters := []rune(comment)
	if len(letters) == 0 {
		return ""
	}
	letters[0] = unicode.ToUpper(letters[0])
	if last := letters[len(letters)-1]; !strings.ContainsRune(".!?", last) {
		letters = append(letters, '.')
	}
	return string(letters)
}

// componentNameOf is componentName with spaces: "An image of a row" reads
// better than "An ImageOfARow".
func componentNameOf(t reflect.Type) string {
	var b strings.Builder
	for i, c := range componentName(t) {
		if i > 0 && unicode.IsUpper(c) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

// newSchemas knows the words and the shapes that Go types do not tell.
func newSchemas() (*openapi.Schemas, error) {
	texts, err := comments()
	if err != nil {
		return nil, err
	}
	s := &openapi.Schemas{
		NameFunc: componentName,
		DescribeFunc: func(t reflect.Type, field string) string {
			return sentence(texts[commentKey(t, field)], t, field)
		},
		Known: map[reflect.Type]*jsonschema.Schema{
			reflect.TypeFor[orderVersion](): {Types: []string{"string", "integer"}},
			reflect.TypeFor[gifQuality]():   {Types: []string{"string", "number"}},
			reflect.TypeFor[measure]():      {Types: []string{"string", "number"}},
			reflect.TypeFor[margins]():      marginSchema(),
			reflect.TypeFor[batchEvent]():   {Type: "string", Enum: []any{batch.BatchCompleted, batch.RowCompleted, batch.RowFailed}},
			reflect.TypeFor[interval]():     {Types: []string{"array", "null"}, Items: &jsonschema.Schema{Type: "number"}},
			reflect.TypeFor[eventName]():    word(sink.Events()...),
			reflect.TypeFor[pictureType]():  word(sink.Types()...),
			reflect.TypeFor[platformName](): word(platforms...),
			reflect.TypeFor[keyColumns]():   {AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "array", Items: &jsonschema.Schema{Type: "string"}}}},
			reflect.TypeFor[unitAsked]():    unitSchema(),
			reflect.TypeFor[imageFormat]():  {Type: "string", Enum: []any{"png", "jpeg", "jpg", "webp", "gif", "pdf"}},
		},
	}
	openapi.Word(s, "JobStatus", batch.Pending, batch.Processing, batch.Paused, batch.Completed, batch.Partial, batch.Failed, batch.Cancelled)
	openapi.Word(s, "Scope", scopes...)
	openapi.Word(s, "ExperimentStatus", experimentStatuses...)
	openapi.Word(s, "SubscriptionStatus", subscriptionActive, subscriptionPaused, subscriptionDisabled)
	openapi.Word(s, "JobMove", batch.MoveCancel, batch.MovePause, batch.MoveResume, batch.MoveRetry)
	openapi.Word(s, "Priority", batch.Low, batch.Normal, batch.High)
	openapi.Word(s, "VariableType", template.Text, template.Number, template.Boolean, template.Date, template.Image, template.URL, template.Color,
		template.Array, template.Object, template.Any)
	openapi.Word(s, "StepKind", draft.Edits, draft.Undoes, draft.Restores, draft.Publishes, draft.Discards, draft.Arrives)
	openapi.Word(s, "ValueKind", expr.KindAny, expr.KindText, expr.KindNumber, expr.KindBoolean, expr.KindDate, expr.KindList, expr.KindObject, expr.KindExpression)
	openapi.Word(s, "MissingPolicy", template.MissingStrict, template.MissingDefault, template.MissingHide)
	return s, nil
}

// word is the schema of a text that is one of some.
func word(words ...string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, w := range words {
		s.Enum = append(s.Enum, w)
	}
	return s
}

// problemCodes are the words that a problem may have. Rooms have finer ones, and
// there will be more.
func problemCodes() *jsonschema.Schema {
	known := &jsonschema.Schema{Type: "string"}
	for _, slug := range slices.Sorted(maps.Keys(explanations)) {
		known.Enum = append(known.Enum, slug)
	}
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{known, {Type: "string"}}}
}
