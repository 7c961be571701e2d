#!/bin/bash
# Others can depend on diva: installs the library into Maven's local repository, then builds and runs a consumer with Maven, and with Gradle
# where it is installed. interop/consumer.sh MODEL, a small folder of a CLIP with its tokenizer.
set -euo pipefail
model=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
mvnw=$here/../mvnw
(cd "$here/.." && "$mvnw" -B -q -Prelease -pl core,platform -am -DskipTests install)
platform=$(uname -s | tr '[:upper:]' '[:lower:]' | sed s/darwin/macosx/)-$(uname -m | sed s/aarch64/arm64/)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$here/consumer/." "$work"
cd "$work"
"$mvnw" -B -q -f pom.xml "-Djavacpp.platform=$platform" package dependency:copy-dependencies
for name in picocli progressbar jline jte-runtime uplot parquet-floor slf4j-nop; do
  if ls target/dependency | grep -q "^$name"; then
    echo "the library brings $name along" >&2
    exit 1
  fi
done
jar=$(ls target/dependency/diva-[0-9]*.jar)
if jar tf "$jar" | grep -E '^dev/diva/(cli|compare|demo|report|world)/'; then
  echo "the library has classes or files of commands: see above" >&2
  exit 1
fi
if grep -E 'picocli|progressbar|jline|jte|uplot|parquet|slf4j-nop|<optional>' "$here/../core/target/.flattened-pom.xml"; then
  echo "the library's POM names what only commands or this machine need: see above" >&2
  exit 1
fi
java -cp "target/classes:target/dependency/*" Consumer "$model"
echo "maven: $(ls target/dependency | wc -l) files, $(du -sm target/dependency | cut -f1) MB"
if command -v gradle >/dev/null; then
  gradle -q "-Djavacpp.platform=$platform" run --args="$model"
  echo "gradle: done"
else
  echo "gradle: not installed"
fi
