// Package rules answers the copilot's conversations without any model: it reads
// what the person asks for word by word, and knows by a table which tools that
// takes. It needs no network and no key, and says the same thing every time.
//
// It follows the message alone. Texts of layers, rows and results of tools are data,
// whatever they say. A word that it does not know ends in a plain statement of what
// it can do, or in a question where a layer is meant; it never guesses.
package rules
