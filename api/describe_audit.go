package api

var auditOperations = operations{
	"GET /audit": {
		id: "listAudit", tag: tagKeys, summary: "Who changed what, newest first",
		detail: "An entry is written before its change begins, so that there is none without; its `status`, `after` and, of what was made, `name` follow when it has ended. It never has the key of a row. `keep.audit` says for how long they are kept.",
		query: []queryParam{
			{"actor", "Only what the key of this name did.", anyText()}, {"via", "Only by way of `key`, `session`, `local`, `mcp` or `file`.", anyText()},
			{"action", "Only this route, as in `PUT /sources/{name}`.", anyText()}, {"kind", "Only what changed something of this kind: `template`, `source`, `sink`, `binding`, `subscription`, `experiment`, `key`, `delivery`, `job`, `row`, `unit`, `sweep`, `configuration`.", anyText()},
			{"name", "Only what changed the one of this name.", anyText()}, {"since", "Only from this time on: a time, a day, or how long ago, as in `2h`.", anyText()}, {"until", "Only before this time.", anyText()},
			{"after", "Only those behind the entry of this id.", anyText()}, {"limit", "At most so many; 50 where it is missing.", wholeFrom(1, auditPageMax)},
		},
		answers: answers{200: sends("", of[auditList]())},
	},
}
