#!/usr/bin/env bash
# The command from the classes that lie there: the launcher would build them again, without CUDA.
exec "$(dirname "$0")/../run.sh" dev.diva.cli.Main "$@"
