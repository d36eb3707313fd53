"""Questions to AWS, for those who configured something that needs them. Needs the extra ``aws`` (boto3)."""
