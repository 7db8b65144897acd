package daemon

import (
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/file"
	httppoll "github.com/pictifyd/pictifyd/connectors/http"
	kafkatopic "github.com/pictifyd/pictifyd/connectors/kafka"
	"github.com/pictifyd/pictifyd/connectors/postgres"
	"github.com/pictifyd/pictifyd/connectors/sheets"
	"github.com/pictifyd/pictifyd/connectors/static"
	inbound "github.com/pictifyd/pictifyd/connectors/webhook"
	"github.com/pictifyd/pictifyd/sink"
	filesink "github.com/pictifyd/pictifyd/sink/file"
	httpsink "github.com/pictifyd/pictifyd/sink/http"
	"github.com/pictifyd/pictifyd/sink/kafka"
	pgsink "github.com/pictifyd/pictifyd/sink/postgres"
	"github.com/pictifyd/pictifyd/sink/s3"
	sheetsink "github.com/pictifyd/pictifyd/sink/sheets"
	"github.com/pictifyd/pictifyd/sink/webhook"
)

// Connectors is every kind of source that pictifyd is built with. A new kind
// is one more entry here: the daemon, check and the reference read this list.
func Connectors() connectors.Kinds {
	return connectors.Kinds{file.Kind, httppoll.Kind, kafkatopic.Kind, postgres.Kind, sheets.Kind, static.Kind, inbound.Kind}
}

// Sinks is every kind of sink that pictifyd is built with.
func Sinks() sink.Kinds {
	return sink.Kinds{webhook.Kind, httpsink.Kind, filesink.Kind, s3.Kind, pgsink.Kind, sheetsink.Kind, kafka.Kind}
}
