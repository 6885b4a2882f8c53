"""What a register measures: a site's grid connection, its loads alone, or storage alone."""

from django.db import migrations, models

# Not part of the key: a register stays where it is, so organization, asset and flow name it.
# Until now the prefix of the fleet's asset ids told them apart; whatever had none was a site's
# meter. The default fills the other rows without rewriting a month.
ADD = """
ALTER TABLE trading_actual
    ADD COLUMN metering_point_kind varchar(16) NOT NULL DEFAULT 'CONNECTION_POINT'
    CONSTRAINT trading_actual_metering_point_kind
        CHECK (metering_point_kind IN ('CONNECTION_POINT', 'LOAD', 'STORAGE'));
UPDATE trading_actual
SET metering_point_kind = CASE WHEN asset_id LIKE 'device:%' THEN 'STORAGE' ELSE 'LOAD' END
WHERE asset_id LIKE 'device:%' OR asset_id LIKE 'consumption:%';
-- A table cannot be altered while its updated rows still owe their foreign keys a look.
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE trading_actual ALTER COLUMN metering_point_kind DROP DEFAULT;
"""
REMOVE = "ALTER TABLE trading_actual DROP COLUMN metering_point_kind"


class Migration(migrations.Migration):
    dependencies = [("trading", "0002_books_and_trades")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(ADD, REMOVE)],
            state_operations=[
                migrations.AddField(
                    model_name="actual",
                    name="metering_point_kind",
                    field=models.CharField(
                        choices=[
                            ("CONNECTION_POINT", "Grid connection of the site"),
                            ("LOAD", "Loads of the site, without storage"),
                            ("STORAGE", "Storage"),
                        ],
                        max_length=16,
                    ),
                    preserve_default=False,
                ),
            ],
        ),
    ]
