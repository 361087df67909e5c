#!/bin/bash
# Starts the broker of docker-compose.yml: the same server.properties as natively, with the container's addresses.
set -euo pipefail
: "${KAFKA_ADMIN:?is blank: start with npm run up -- --compose}"
sed -e 's/${BROKER_PORT}/9092/g' -e 's/${CONTROLLER_PORT}/9093/g' -e "s/\${ADMIN_PASSWORD}/$KAFKA_ADMIN/g" \
  -e "s/\${OBSERVER_PASSWORD}/$KAFKA_OBSERVER/g" \
  -e 's#${DATA}#/var/lib/kafka/data#g' \
  -e 's#listeners=SASL_PLAINTEXT://127.0.0.1:9092#listeners=SASL_PLAINTEXT://0.0.0.0:9092#' \
  -e 's#advertised.listeners=SASL_PLAINTEXT://0.0.0.0:9092#advertised.listeners=SASL_PLAINTEXT://kafka:9092#' \
  /etc/sociograph/server.properties >/tmp/server.properties
accounts=()
for account in admin key-service parser-service graph-storage-service read-model-projector identity-service analytics observer; do
  variable="KAFKA_$(tr 'a-z-' 'A-Z_' <<<"$account")"
  accounts+=(--add-scram "SCRAM-SHA-512=[name=$account,password=${!variable}]")
done
/opt/kafka/bin/kafka-storage.sh format --cluster-id c29jaW9ncmFwaC1jbHVzdA --config /tmp/server.properties \
  --ignore-formatted "${accounts[@]}"
exec /opt/kafka/bin/kafka-server-start.sh /tmp/server.properties
