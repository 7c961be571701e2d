# docker build -t diva . && docker run --rm -v $PWD:/data -w /data diva inspect clip
FROM eclipse-temurin:17-jdk AS build
RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN ./mvnw -B -q -Pdist -pl core -Dmaven.test.skip=true package && \
    mkdir /opt/diva && tar xzf core/target/diva-*.tar.gz -C /opt/diva --strip-components=1

FROM eclipse-temurin:17-jre
# libgomp: threads of libtorch.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/diva /opt/diva
ENV PATH=/opt/diva:$PATH
# The launcher's archive of classes, once for all containers.
RUN diva --version
ENTRYPOINT ["diva"]
