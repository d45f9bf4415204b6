#!/usr/bin/env bash
# Build the training image of the current commit, push it to ECR, and print the parameter JobImageUri.
#
#   tools/build_image.sh            build for SageMaker and push
#   tools/build_image.sh --local    build for this machine only, as boringml:<commit>
#
# ECR_REPOSITORY  name of the repository, made if it does not exist    (default boringml)
# PLATFORM        of the pushed image                                  (default linux/amd64)
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "image: $*" >&2; exit 1; }

command -v docker >/dev/null || fail "docker is not installed. Nothing but SageMaker on AWS needs \
this image: the local AWS trains without it. Install Docker with buildx, or let CI build the image."
docker buildx version >/dev/null 2>&1 || fail "docker has no buildx: install the plugin docker-buildx."
docker info >/dev/null 2>&1 || fail "the Docker daemon does not answer: start it."
[ -z "$(git status --porcelain)" ] || fail "there are changes without a commit. An image bears the \
name of its commit, which the manifest of each model names in turn: commit first."
commit=$(git rev-parse HEAD)

build() { docker buildx build --file container/Dockerfile --build-arg GIT_COMMIT="$commit" "$@" .; }

if [ "${1:-}" = "--local" ]; then
  build --load --tag "boringml:$commit"
  exit
fi

command -v aws >/dev/null || fail "the AWS CLI is not installed."
account=$(aws sts get-caller-identity --query Account --output text) || fail "there are no AWS credentials."
region=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}
[ -n "$region" ] || fail "there is no Region: set AWS_REGION."
repository=${ECR_REPOSITORY:-boringml}
registry=$account.dkr.ecr.$region.amazonaws.com

aws ecr describe-repositories --region "$region" --repository-names "$repository" >/dev/null 2>&1 ||
  aws ecr create-repository --region "$region" --repository-name "$repository" \
    --image-tag-mutability IMMUTABLE --image-scanning-configuration scanOnPush=true >/dev/null

# Tags are immutable: the image of a commit is pushed once.
digest=$(aws ecr describe-images --region "$region" --repository-name "$repository" \
  --image-ids imageTag="$commit" --query 'imageDetails[0].imageDigest' --output text 2>/dev/null || true)
if [ -z "$digest" ]; then
  metadata=$(mktemp)
  trap 'rm -f "$metadata"' EXIT
  aws ecr get-login-password --region "$region" |
    docker login --username AWS --password-stdin "$registry" >/dev/null
  # SageMaker refuses OCI media types and indexes ("Unsupported manifest media type"), which
  # attestations bring along: one platform, Docker's media types, no provenance.
  build --platform "${PLATFORM:-linux/amd64}" --provenance=false --sbom=false \
    --output "type=image,name=$registry/$repository:$commit,push=true,oci-mediatypes=false" \
    --metadata-file "$metadata"
  digest=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["containerimage.digest"])' \
    "$metadata")
fi
echo "JobImageUri=$registry/$repository@$digest"
