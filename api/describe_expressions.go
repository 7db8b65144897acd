package api

import (
	"encoding/json"

	"github.com/pictifyd/pictifyd/expr"
)

var expressionOperations = operations{
	"POST /expressions/validate": {
		id: "validateExpression", tag: tagExpressions, summary: "Whether an expression can work",
		body: takes(of[expressionRequest](), expressionExample), answers: answers{200: sends("", of[validAnswer]())},
	},
	"POST /expressions/test": {
		id: "testExpression", tag: tagExpressions, summary: "Compute an expression over sample values",
		body: takes(of[expressionRequest](), expressionExample), answers: answers{200: sends("", of[testAnswer]())},
	},
	"POST /expressions/complete": {
		id: "completeExpression", tag: tagExpressions, summary: "What may be written at a place of an expression",
		detail:  "Names come with their values, filters with what they would give. `from` and `to` are the letters that a suggestion replaces.",
		body:    takes(of[completeRequest](), map[string]any{"Behind a name": json.RawMessage(`{"expression":"price | cur","template":"card"}`)}),
		answers: answers{200: sends("", of[expr.Completion]())},
	},
	"GET /expressions/functions": {
		id: "listFunctions", tag: tagExpressions, summary: "What expressions may call",
		answers: answers{200: sends("", only[[]expr.Function]("functions"))},
	},
	"POST /expressions/dependencies": {
		id: "expressionDependencies", tag: tagExpressions, summary: "What an expression's result depends on",
		body: takes(of[expressionRequest](), expressionExample),
		answers: answers{200: sends("", object(
			property{"expression", "", anyText()},
			property{"variables", "The names that it reads.", of[[]string]()},
			property{"functions", "The functions that it calls.", of[[]string]()},
			property{"readsClock", "It gives something else at another time.", yesNo()},
			property{"readsAll", "It reads the row as a whole.", yesNo()},
		))},
	},
}

var expressionExample = map[string]any{
	"A discount": json.RawMessage(`{"expression":"price * 0.9 | currency","variables":{"price":49}}`),
}
